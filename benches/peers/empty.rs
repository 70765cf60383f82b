//! What a start costs that does nothing: the scale for one CGI request.

fn main() {}
