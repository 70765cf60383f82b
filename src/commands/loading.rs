//! Reads the configuration for a command.

use super::output::complain;
use crate::config::value_checks::ValueChecks;
use crate::config::{Config, check, check::Loading, find::Source};
use crate::draft::{self, Draft};
use crate::{page, route};
use std::path::Path;
use std::process::ExitCode;

/// The checks of configuration values by the page and the table of paths.
pub static CHECKS: ValueChecks = ValueChecks {
    is_client_path: route::is_taken,
    template: |template| {
        page::check_template(template).map_err(|error| (error.line, error.message))
    },
    logo: page::data_uri,
};

/// Takes out of a draft what the file at `target` cannot have.
pub fn fit(draft: &mut Draft, target: &Path) {
    draft::fit(draft, &|text| match check::text(target, text, &CHECKS) {
        Ok(_) => Ok(()),
        Err(findings) => Err(findings.first().map(|it| it.message.clone()).unwrap_or_default()),
    });
}

/// Reads the configuration, or prints all errors in it.
pub(super) fn load(source: &Source) -> Result<Config, ExitCode> {
    source.load(Loading::command(&CHECKS)).map_err(|errors| complain(&errors))
}
