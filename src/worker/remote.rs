//! The worker's protocol over a local socket, so that a dashboard of another process can look on: a message is a line of JSON.
//! Not here: where sockets lie, and who may find them.

mod connect;
mod message;
mod serve;

pub use connect::connect;
pub use message::Greeting;
pub use serve::Listener;
