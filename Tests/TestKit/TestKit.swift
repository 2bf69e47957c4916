// TestKit: fakes, generators and oracles the tests share.
