//! Takes the content out of a signed document: CMS SignedData (RFC 5652), attached, DER.
//!
//! The signature is not checked. Refuses what is not CMS, and a signature apart from its content.

use openssl::cms::{CMSOptions, CmsContentInfo};
use openssl::error::ErrorStack;

/// The content; the error is a message.
pub fn content(octets: &[u8]) -> Result<Vec<u8>, String> {
    let result = taken_out(octets);
    // Errors stay in the queue of the thread otherwise.
    drop(ErrorStack::get());
    result
}

fn taken_out(octets: &[u8]) -> Result<Vec<u8>, String> {
    let failed = |_| "it is not a signed document in DER".to_owned();
    let mut cms = CmsContentInfo::from_der(octets).map_err(failed)?;
    let mut content = Vec::new();
    let unchecked = CMSOptions::BINARY
        | CMSOptions::NO_SIGNER_CERT_VERIFY
        | CMSOptions::NO_CONTENT_VERIFY
        | CMSOptions::NO_ATTR_VERIFY
        | CMSOptions::NOSIGS;
    let verified = cms.verify(None, None, None, Some(&mut content), unchecked);
    verified.map_err(|_| "the signed document has no content".to_owned())?;
    Ok(content)
}
