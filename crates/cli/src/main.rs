//! The cli binary.

fn main() {}
