//! The provider's logo, embedded in the page.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// Largest logo, in bytes: every page contains it.
pub const MAX_BYTES: usize = 64 * 1024;

/// A picture as a `data:` URI (RFC 2397), or the error in it.
///
/// It is shown as an image; browsers do not run scripts of an SVG there.
pub fn data_uri(picture: &[u8]) -> Result<String, &'static str> {
    if picture.len() > MAX_BYTES {
        return Err("is larger than 64 KiB");
    }
    let media_type = media_type(picture).ok_or("is not an SVG, PNG or JPEG")?;
    Ok(format!("data:{media_type};base64,{}", STANDARD.encode(picture)))
}

fn media_type(picture: &[u8]) -> Option<&'static str> {
    if picture.starts_with(b"\x89PNG\r\n\x1a\n") {
        return Some("image/png");
    }
    if picture.starts_with(b"\xff\xd8\xff") {
        return Some("image/jpeg");
    }
    let text = std::str::from_utf8(picture).ok()?.trim_start_matches('\u{feff}').trim_start();
    (text.starts_with('<') && text.contains("<svg")).then_some("image/svg+xml")
}
