//! A QR code (ISO/IEC 18004) as inline SVG.

use crate::xml;
use qrcodegen::{Mask, QrCode, QrCodeEcc, QrSegment, Version};

/// White modules around the code, as the standard wants them.
const QUIET: i32 = 4;

/// The code for a text, named by `label`; `None` if the text is too long for one.
pub fn svg(text: &str, label: &str) -> Option<String> {
    let segments = QrSegment::make_segments(text);
    // Any mask makes a valid code (ISO/IEC 18004 §7.8); trying all eight is most of a page's work.
    let mask = Some(Mask::new(0));
    let (least, most) = (Version::MIN, Version::MAX);
    let level = QrCodeEcc::Medium;
    let code = QrCode::encode_segments_advanced(&segments, level, least, most, mask, true).ok()?;
    let size = (code.size() + 2 * QUIET).to_string();
    let mut xml = xml::Writer::fragment();
    let attributes = [
        ("viewBox", format!("0 0 {size} {size}")),
        ("role", "img".to_owned()),
        ("aria-label", label.to_owned()),
        ("shape-rendering", "crispEdges".to_owned()),
    ];
    let attributes = attributes.each_ref().map(|(name, value)| (*name, value.as_str()));
    xml.element("svg", &attributes, |xml| {
        // Dark on light whatever the page's colours are: not every camera reads it the other way.
        xml.empty_with("rect", &[("width", &size), ("height", &size), ("fill", "#ffffff")]);
        xml.empty_with("path", &[("d", &path(&code)), ("fill", "#000000")]);
    });
    String::from_utf8(xml.finish()).ok()
}

/// The dark modules, those side by side as one.
fn path(code: &QrCode) -> String {
    let mut path = String::with_capacity(8192);
    let mut number = itoa::Buffer::new();
    for y in 0..code.size() {
        let mut x = 0;
        while x < code.size() {
            let run = (x..code.size()).take_while(|&x| code.get_module(x, y)).count() as i32;
            if run > 0 {
                for (command, count) in
                    [("M", x + QUIET), (" ", y + QUIET), ("h", run), ("v1h", -run)]
                {
                    path += command;
                    path += number.format(count);
                }
                path += "z";
            }
            x += run + 1;
        }
    }
    path
}
