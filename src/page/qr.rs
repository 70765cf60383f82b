//! A QR code (ISO/IEC 18004) as inline SVG.

use crate::xml;
use qrcodegen::{Mask, QrCode, QrCodeEcc, QrSegment, Version};

/// White modules around the code, as the standard requires.
const QUIET: u8 = 4;

/// The code for a text, named by `label`; `None` if the text is too long for one.
pub fn svg(text: &str, label: &str) -> Option<String> {
    let segments = QrSegment::make_segments(text);
    // Any mask makes a valid code (ISO/IEC 18004 §7.8); trying all eight would be most of the work
    // of a page.
    let mask = Some(Mask::new(0));
    let (least, most) = (Version::MIN, Version::MAX);
    let level = QrCodeEcc::Medium;
    let code = QrCode::encode_segments_advanced(&segments, level, least, most, mask, true).ok()?;
    let size = (code.size() + 2 * i32::from(QUIET)).to_string();
    let mut xml = xml::Writer::fragment();
    let view = format!("0 0 {size} {size}");
    let attributes = [
        ("viewBox", view.as_str()),
        ("role", "img"),
        ("aria-label", label),
        ("shape-rendering", "crispEdges"),
    ];
    xml.element("svg", &attributes, |xml| {
        // Dark on light whatever the page's colours are: not every camera reads inverted codes.
        xml.empty_with("rect", &[("width", &size), ("height", &size), ("fill", "#ffffff")]);
        xml.empty_with("path", &[("d", &path(&code)), ("stroke", "#000000")]);
    });
    String::from_utf8(xml.finish()).ok()
}

/// The dark modules as lines of the width of a module; adjacent ones are one line.
fn path(code: &QrCode) -> String {
    let mut path = Vec::with_capacity(8192);
    // A code has 177 modules at most in each direction (ISO/IEC 18004 §5.1).
    let size = u8::try_from(code.size()).unwrap_or_default();
    let mut row = vec![false; size.into()];
    for y in 0..size {
        (0..size).zip(&mut row).for_each(|(x, dark)| *dark = code.get_module(x.into(), y.into()));
        path.push(b'M');
        write_number(&mut path, QUIET);
        path.push(b' ');
        write_number(&mut path, y + QUIET);
        path.extend_from_slice(b".5");
        for run in row.chunk_by(|one, next| one == next) {
            let length = u8::try_from(run.len()).unwrap_or_default();
            match (run.first() == Some(&true), length) {
                // Nearly always.
                (true, ..10) => path.extend_from_slice(&[b'h', b'0' + length]),
                (false, ..10) => path.extend_from_slice(&[b'm', b'0' + length, b' ', b'0']),
                (true, _) => {
                    path.push(b'h');
                    write_number(&mut path, length);
                }
                (false, _) => {
                    path.push(b'm');
                    write_number(&mut path, length);
                    path.extend_from_slice(b" 0");
                }
            }
        }
    }
    String::from_utf8(path).unwrap_or_default()
}

fn write_number(text: &mut Vec<u8>, number: u8) {
    text.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
}
