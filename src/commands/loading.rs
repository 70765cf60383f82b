//! Reads the configuration for a command.

use super::output::complain;
use crate::config::value_checks::ValueChecks;
use crate::config::{Config, check::Loading, find::Source};
use crate::{page, route};
use std::process::ExitCode;

/// The checks of configuration values by the page and the table of paths.
pub static CHECKS: ValueChecks = ValueChecks {
    is_client_path: route::is_taken,
    template: |template| {
        page::check_template(template).map_err(|error| (error.line, error.message))
    },
    logo: page::data_uri,
};

/// Reads the configuration, or prints all errors in it.
pub(super) fn load(source: &Source) -> Result<Config, ExitCode> {
    source.load(Loading::command(&CHECKS)).map_err(|errors| complain(&errors))
}
