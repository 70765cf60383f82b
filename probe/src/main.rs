//! Starts the program; the rest is in the library.

fn main() {}
