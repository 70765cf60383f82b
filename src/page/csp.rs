//! The Content-Security-Policy of the page: allows its own style and script by hash, and nothing
//! else.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

/// The policy for a template with the built-in style and script, and with its own ones that are the
/// same for all users.
pub fn policy(template: &str, style: &str, script: &str) -> String {
    let styles = sources(style, template, "style");
    let scripts = sources(script, template, "script");
    format!(
        "default-src 'none'; style-src{styles}; script-src{scripts}; img-src data:; \
         form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    )
}

fn sources(ours: &str, template: &str, element: &str) -> String {
    let own = contents(template, element);
    [ours].into_iter().chain(own).map(|text| format!(" '{}'", hash(text))).collect()
}

/// `sha256-…` of the text as browsers see it: HTML has one kind of line end.
fn hash(text: &str) -> String {
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    format!("sha256-{}", STANDARD.encode(Sha256::digest(text.as_bytes())))
}

/// The contents of the elements with this name in which nothing is filled in.
fn contents<'a>(template: &'a str, element: &str) -> Vec<&'a str> {
    let folded = template.to_ascii_lowercase();
    let (start, end) = (format!("<{element}"), format!("</{element}"));
    let mut contents = Vec::new();
    let mut from = 0;
    while let Some(opened) = folded[from..].find(&start).map(|at| from + at) {
        let Some(begins) = folded[opened..].find('>').map(|at| opened + at + 1) else { break };
        let Some(ends) = folded[begins..].find(&end).map(|at| begins + at) else { break };
        let text = &template[begins..ends];
        if !["{{", "{%", "{#"].iter().any(|sign| text.contains(sign)) {
            contents.push(text);
        }
        from = ends;
    }
    contents
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_the_same_for_everybody() {
        let template = "<STYLE media=print>a{}</STYLE><style>{{ style }}</style><style>b";
        assert_eq!(contents(template, "style"), ["a{}"]);
        assert_eq!(contents("<script>{% if x %}</script>", "script"), [""; 0]);
        // RFC 6234: SHA-256 of "abc".
        assert_eq!(hash("abc"), "sha256-ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=");
        assert_eq!(hash("a\r\nb"), hash("a\nb"));
    }
}
