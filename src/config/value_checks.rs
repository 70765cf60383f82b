//! Checks of values that other modules use and know how to check. They are passed in, so that the
//! configuration does not depend on paths and pages.

/// The checks; one set for the whole program.
#[derive(Clone, Copy, Debug)]
pub struct ValueChecks {
    /// True for a path that mail clients request.
    pub is_client_path: fn(&[u8]) -> bool,
    /// Checks a template of the page; an error has its line.
    pub template: fn(&str) -> Result<(), Fault>,
    /// A logo as a `data:` URI, or the error in it.
    pub logo: fn(&[u8]) -> Result<String, &'static str>,
}

/// An error in a file, with its line if known.
pub type Fault = (Option<usize>, String);
