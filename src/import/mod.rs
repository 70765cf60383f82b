//! Configurations and documents of programs that answered mail clients before: bytes in, a draft of a
//! configuration out.
//!
//! A reader for each kind of file; the kind is recognised by content. A reader names each value that it
//! cannot carry over. No I/O.
