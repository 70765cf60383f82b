//! What is to be done next for a request.
//!
//! What cannot be had at once is not waited for where requests are answered: it comes back as data,
//! and is done where it holds up no other request. The gateway of a service does that beside the
//! others, CGI and the command line do it at once.

use crate::record::Record;
use crate::response::Response;

/// The next step of a request.
pub enum Step {
    /// None: there is a reply.
    Done(Reply),
    /// To compute the reply: a signature.
    Compute(Box<dyn Compute>),
    /// To look something up, and to ask again.
    LookUp(Box<dyn LookUp>),
}

impl Step {
    /// How often a request may have something looked up: each alias may lead to another file.
    pub const MAX_LOOK_UPS: usize = 16;
}

/// A response, and the record of it.
#[derive(Debug)]
pub struct Reply {
    /// What goes out.
    pub response: Response,
    /// What it is about.
    pub record: Record,
}

impl From<Response> for Reply {
    fn from(response: Response) -> Reply {
        Reply { response, record: Record::default() }
    }
}

/// What a reply is computed from; this may take milliseconds.
pub trait Compute: Send {
    /// Computes the reply.
    fn compute(self: Box<Self>) -> Reply;
}

/// What is to be looked up; this may take a while. What comes back is there for the next one who
/// asks.
pub trait LookUp: Send {
    /// Looks it up.
    fn look_up(self: Box<Self>);
}
