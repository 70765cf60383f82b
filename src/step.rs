//! The next step for a request.
//!
//! Slow work does not block the thread that serves requests: it is returned as data and done
//! elsewhere. The gateways of a service do it in other threads; CGI and the command line do it at
//! once.

use crate::record::Record;
use crate::response::Response;

/// The next step of a request.
pub enum Step {
    /// The reply is ready.
    Done(Reply),
    /// Compute the reply: a signature.
    Compute(Box<dyn Compute>),
    /// Look something up, then repeat the request.
    LookUp(Box<dyn LookUp>),
}

impl Step {
    /// How many look-ups a request may need: each alias may lead to another file.
    pub const MAX_LOOK_UPS: usize = 16;
}

/// A response and its record.
#[derive(Debug)]
pub struct Reply {
    /// The response to send.
    pub response: Response,
    /// Its record, for the log.
    pub record: Record,
}

impl From<Response> for Reply {
    fn from(response: Response) -> Reply {
        Reply { response, record: Record::default() }
    }
}

/// The computation of a reply; it may take milliseconds.
pub trait Compute: Send {
    /// Computes the reply.
    fn compute(self: Box<Self>) -> Reply;
}

/// A look-up; it may take a while. Its result is kept for later requests.
pub trait LookUp: Send {
    /// Looks it up.
    fn look_up(self: Box<Self>);
}
