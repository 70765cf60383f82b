//! Checks of values that other parts of the program use, and that are theirs to judge: they are
//! handed in, so that the configuration knows neither paths nor pages.

/// The checks; one set for the whole program.
#[derive(Clone, Copy, Debug)]
pub struct ValueChecks {
    /// True for a path that mail clients ask for.
    pub is_client_path: fn(&[u8]) -> bool,
    /// What is wrong with a template of the page, and in which line.
    pub template: fn(&str) -> Result<(), Fault>,
    /// A logo as a `data:` URI, or what is wrong with it.
    pub logo: fn(&[u8]) -> Result<String, &'static str>,
}

/// What is wrong with a file, and in which line of it.
pub type Fault = (Option<usize>, String);
