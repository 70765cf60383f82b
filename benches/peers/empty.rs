//! A program that does nothing: its start is the scale for one CGI request.

fn main() {}
