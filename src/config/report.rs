//! Collects the findings about one file, each with its place.

use crate::finding::{Finding, Place};
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

/// The findings of one file.
#[derive(Debug)]
pub struct Report<'a> {
    file: Arc<Path>,
    text: &'a str,
    /// The offsets of the lines, in bytes: finding a place is as fast in a long file as in a short
    /// one.
    lines: Vec<usize>,
    /// The findings so far.
    pub findings: Vec<Finding>,
}

impl<'a> Report<'a> {
    /// An empty report of the file at `path` with the content `text`.
    pub fn new(path: &Path, text: &'a str) -> Report<'a> {
        let ends =
            text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(at, _)| at + 1);
        let lines = [0].into_iter().chain(ends).collect();
        Report { file: path.into(), text, lines, findings: Vec::new() }
    }

    /// Adds an error at `span`, in bytes of the text.
    pub fn error(
        &mut self,
        code: &'static str,
        span: Option<Range<usize>>,
        message: impl Into<String>,
    ) {
        let place = self.place(span);
        self.findings.push(Finding::error(code, Some(place), message));
    }

    /// The place of a span; without a span, the whole file.
    pub fn place(&self, span: Option<Range<usize>>) -> Place {
        let position = span.map(|span| {
            let line = self.lines.partition_point(|start| *start <= span.start);
            let start = self.lines[line.saturating_sub(1)];
            let before = self.text.get(start..span.start).unwrap_or_default();
            (line, before.chars().count() + 1)
        });
        Place { file: self.file.clone(), position }
    }

    /// The findings, sorted by place; those about the whole file come last.
    pub fn sorted(mut self) -> Vec<Finding> {
        let position = |finding: &Finding| finding.place.as_ref().and_then(|place| place.position);
        self.findings.sort_by_key(|finding| (position(finding).is_none(), position(finding)));
        self.findings
    }

    /// True if nothing was found.
    pub fn is_empty(&self) -> bool {
        self.findings.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_count_lines_and_characters_from_one() {
        let text = "ab\né = x\n";
        let report = Report::new(Path::new("f"), text);
        for (at, position) in [(0, (1, 1)), (1, (1, 2)), (3, (2, 1)), (8, (2, 5)), (10, (3, 1))] {
            assert_eq!(report.place(Some(at..at)).position, Some(position), "{at}");
        }
        assert_eq!(report.place(None).position, None);
        assert_eq!(Report::new(Path::new("f"), "").place(Some(0..0)).position, Some((1, 1)));
    }
}
