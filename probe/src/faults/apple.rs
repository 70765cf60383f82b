//! Apple profiles: media type, signature, and the account in them.

use super::web;
use crate::facts::Facts;
use crate::finding::Fault;
use crate::net::http::Response;
use crate::read::profile::Signature;
use crate::read::{Body, Setting, plist, shortened};

/// What an Apple device accepts as a profile.
const MEDIA_TYPE: &str = "application/x-apple-aspen-config";

/// The account in a profile, and what is odd about it.
pub fn read(
    url: &str,
    response: &Response,
    facts: &Facts,
) -> Result<(Vec<Setting>, Vec<Fault>), Fault> {
    let body = Body::of(response);
    if body.is_web_page() {
        let message = "a web page is sent in place of a document";
        return Err(Fault::new("doc-web-page", url, message)
            .seen(body.begin())
            .mend("Send 404 for paths that do not exist."));
    }
    let media_type = response.field("content-type").unwrap_or_default();
    if !media_type.starts_with(MEDIA_TYPE) {
        let message = format!("the profile is sent as {}", shortened(media_type));
        return Err(Fault::new("profile-type", url, message)
            .seen(format!("Content-Type: {}", shortened(media_type)))
            .mend(format!("Send it as Content-Type: {MEDIA_TYPE}.")));
    }
    let known = facts.profiles.iter().find(|(known, _)| web::url(known) == url);
    let Some((_, (content, signature))) = known else {
        return Err(Fault::new("not-asked", url, "the profile was not read"));
    };
    let mut odd = Vec::new();
    match signature {
        Signature::Unsigned => {
            let message = "the profile is not signed: the device says so before it installs it";
            odd.push(Fault::new("profile-unsigned", url, message).mend(
                "In the configuration of mailsetup:\n\
                 [apple]\n\
                 signing_certificate = \"/etc/ssl/certs/mail.example.org.pem\"\n\
                 signing_key = \"/etc/ssl/private/mail.example.org.key\"",
            ));
        }
        Signature::Trusted { .. } => {}
        Signature::Untrusted { reason, .. } => {
            let message = format!("devices do not trust the signature: {}", shortened(reason));
            odd.push(
                Fault::new("profile-signature", url, message)
                    .mend("Sign with a certificate of a public authority, and its whole chain."),
            );
        }
        Signature::Broken { reason } => {
            let message = format!("the signature is invalid: {}", shortened(reason));
            return Err(Fault::new("profile-broken", url, message));
        }
    }
    let settings =
        plist::settings(content).map_err(|reason| Fault::new("profile-broken", url, reason))?;
    Ok((settings, odd))
}
