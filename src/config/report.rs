//! Collects the findings about one file, each with its place: in the file, or the variable whose
//! value is over the one in the file.

use super::overlay::Lines;
use crate::finding::{Finding, Place};
use crate::order;
use memchr::memchr_iter;
use std::ops::Range;
use std::path::Path;

/// The findings of one file.
#[derive(Debug)]
pub struct Report<'a> {
    whole: Place,
    text: &'a str,
    /// The offsets of the lines, in bytes: finding a place is as fast in a long file as in a short
    /// one.
    lines: Vec<usize>,
    variables: Option<&'a Lines>,
    /// The findings so far.
    pub findings: Vec<Finding>,
}

impl<'a> Report<'a> {
    /// An empty report of the file at `path` with the content `text`.
    pub fn new(path: &Path, text: &'a str) -> Report<'a> {
        Report::at(Place::file(path), text)
    }

    /// An empty report of a text that is from this place.
    pub fn at(whole: Place, text: &'a str) -> Report<'a> {
        let ends = memchr_iter(b'\n', text.as_bytes()).map(|at| at + 1);
        let lines = [0].into_iter().chain(ends).collect();
        Report { whole, text, lines, variables: None, findings: Vec::new() }
    }

    /// The same with the places of variables behind the text.
    pub fn over(self, variables: &'a Lines) -> Report<'a> {
        Report { variables: Some(variables), ..self }
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
        let name = span.as_ref().and_then(|span| self.variables?.name_at(span.start));
        if let Some(name) = name {
            return Place::variable(name);
        }
        let position = span.map(|span| {
            let line = self.lines.partition_point(|start| *start <= span.start);
            let start = self.lines[line.saturating_sub(1)];
            let before = self.text.get(start..span.start).unwrap_or_default();
            (line, before.chars().count() + 1)
        });
        Place { position, ..self.whole.clone() }
    }

    /// The findings, sorted by place; those about the whole file come last.
    pub fn sorted(mut self) -> Vec<Finding> {
        let position = |finding: &Finding| finding.place.as_ref().and_then(|place| place.position);
        order::sort_by_key(&mut self.findings, |finding| {
            (position(finding).is_none(), position(finding))
        });
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
