// libFuzzer brings `main`; `LLVMFuzzerTestOneInput` is in FuzzTargets. A target needs a file.
