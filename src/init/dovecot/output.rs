//! The texts that are read: what doveconf printed, with the names that places have.

/// What was run, or a file with its output.
#[derive(Clone, Copy, Debug)]
pub struct Input<'a> {
    /// How places name it: `doveconf -n`.
    pub source: &'a str,
    /// Its text.
    pub text: &'a str,
}

/// What doveconf printed.
#[derive(Clone, Copy, Debug)]
pub struct Output<'a> {
    /// `doveconf -n`. That of `doveconf -S` may follow in the same text.
    pub explicit: Input<'a>,
    /// `doveconf -S`.
    pub all: Option<Input<'a>>,
    /// What it printed on standard error.
    pub messages: &'a str,
}
