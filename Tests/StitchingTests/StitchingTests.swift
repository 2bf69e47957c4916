// StitchingTests
