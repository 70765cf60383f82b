//! Syntax and type errors in a file: collected while it is read, and reported after that.
//!
//! Keeps a limited number of faults and counts the rest.

use super::report::Report;
use std::ops::Range;

/// Most findings of this kind that are reported for one file; the rest is counted.
pub(super) const MAX_FINDINGS: usize = 100;

/// The syntax and type errors of a file.
#[derive(Debug, Default)]
pub(super) struct Faults {
    found: Vec<(&'static str, Range<usize>, String)>,
    count: usize,
}

impl Faults {
    /// Beyond the limit, faults are only counted.
    pub(super) fn refuse(
        &mut self,
        code: &'static str,
        span: Range<usize>,
        message: impl FnOnce() -> String,
    ) {
        if self.count < MAX_FINDINGS {
            self.found.push((code, span, message()));
        }
        self.count += 1;
    }

    pub(super) fn report(&mut self, report: &mut Report) {
        for (code, span, message) in self.found.drain(..) {
            report.error(code, Some(span), message);
        }
    }

    pub(super) fn report_the_rest(&mut self, report: &mut Report) {
        if self.count > MAX_FINDINGS {
            let rest = self.count - MAX_FINDINGS;
            self.count = 0;
            let message =
                format!("{rest} more unknown keys, duplicates and values of a wrong type");
            report.error("more-findings", None, message);
        }
    }
}
