//! One question to a server and its answer, redirects followed. The only file that speaks HTTP; what to ask for and
//! what to make of the answer is `fetch`'s.

use std::io::{self, Read};
use std::sync::Arc;
use std::time::Duration;

use rustls::crypto::ring;
use ureq::http::HeaderMap;
use ureq::http::header::{
    CONTENT_LENGTH, CONTENT_RANGE, ETAG, HeaderName, LAST_MODIFIED, LOCATION, RETRY_AFTER, TRANSFER_ENCODING,
};
use ureq::tls::{Certificate, RootCerts, TlsConfig};
use ureq::unversioned::resolver::DefaultResolver;
use ureq::unversioned::transport::{
    ConnectProxyConnector, Connector, RustlsConnector, SocksConnector, TcpConnector,
};
use ureq::{Agent, BodyReader, Proxy, Timeout};

use super::part::Record;
use super::watch::Watch;
use super::{Error, Options, address};

/// How many redirects are followed.
const REDIRECTS: usize = 10;

/// What the hub says of a file before it sends elsewhere for it.
const LINKED_ETAG: HeaderName = HeaderName::from_static("x-linked-etag");
const LINKED_SIZE: HeaderName = HeaderName::from_static("x-linked-size");

/// Why a question had no answer.
#[derive(Debug)]
pub(super) enum Silence {
    /// It may have one later; this is the reason.
    Passing(String),
    /// It will not have one.
    Lasting(Error),
}

/// Asks servers.
#[derive(Debug)]
pub(super) struct Client {
    agent: Agent,
    stall: Duration,
    connect: Duration,
    /// Has any server ever answered?
    pub(super) answered: bool,
}

/// An answer, of which the body has yet to be read.
pub(super) struct Answer {
    /// 200, 404, ...
    pub(super) status: u16,
    /// How many bytes the body has, if it says so.
    pub(super) length: Option<u64>,
    /// Is the end of the body told by more than the end of the connection?
    pub(super) framed: bool,
    /// The first byte of the range, and the size of the whole file.
    pub(super) range: (Option<u64>, Option<u64>),
    /// The entity tag, weak ones too.
    pub(super) etag: Option<String>,
    /// The date of modification.
    pub(super) modified: Option<String>,
    /// How long it wants not to be asked.
    pub(super) retry_after: Option<Duration>,
    /// The hub's SHA-256 of the file.
    pub(super) linked_sha256: Option<String>,
    /// The hub's size of the file.
    pub(super) linked_size: Option<u64>,
    body: BodyReader<'static>,
    stall: Duration,
}

impl Client {
    pub(super) fn new(options: &Options) -> Self {
        // A system without certificates can still fetch over http; over https the handshake says what is missing.
        let roots = rustls_native_certs::load_native_certs().certs;
        let roots = RootCerts::from(roots.iter().map(|root| Certificate::from_der(root).to_owned()));
        let tls = TlsConfig::builder()
            .root_certs(roots)
            .unversioned_rustls_crypto_provider(Arc::new(ring::default_provider()))
            .build();
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .user_agent(concat!("trepang/", env!("CARGO_PKG_VERSION")))
            .accept_encoding("identity")
            .timeout_connect(Some(options.connect))
            .proxy(if options.proxies { Proxy::try_from_env() } else { None })
            .tls_config(tls)
            .build();
        let chain =
            ().chain(SocksConnector::default())
                .chain(ConnectProxyConnector::default())
                .chain(TcpConnector::default())
                .chain(Watch { stop: Arc::clone(&options.stop), stall: options.stall })
                .chain(RustlsConnector::default());
        let agent = Agent::with_parts(config, chain, DefaultResolver::default());
        Self { agent, stall: options.stall, connect: options.connect, answered: false }
    }

    /// Asks for the file at `url`, or for what follows its first `from.1` bytes if it is still the one of the record.
    pub(super) fn get(&mut self, url: &str, from: Option<(&Record, u64)>) -> Result<Answer, Silence> {
        let lasting = |reason: String| Silence::Lasting(Error::Redirect { url: url.into(), reason });
        let (mut at, mut linked) = (url.to_owned(), (None, None));
        for _ in 0..=REDIRECTS {
            let (status, headers, body) = self.ask(&at, from)?;
            self.answered = true;
            linked.0 = linked.0.or_else(|| text(&headers, &LINKED_ETAG));
            linked.1 = linked.1.or_else(|| number(&headers, &LINKED_SIZE));
            if !matches!(status, 301 | 302 | 303 | 307 | 308) {
                return Ok(Answer::new(status, &headers, linked, body, self.stall));
            }
            let location = text(&headers, &LOCATION).unwrap_or_default();
            at = address::redirect(&at, &location).map_err(lasting)?;
        }
        Err(lasting(format!("more than {REDIRECTS} other addresses")))
    }

    fn ask(
        &self,
        url: &str,
        from: Option<(&Record, u64)>,
    ) -> Result<(u16, HeaderMap, BodyReader<'static>), Silence> {
        let mut request = self.agent.get(url);
        if let Some((record, size)) = from {
            request = request.header("range", format!("bytes={size}-")).header("if-range", &record.validator);
        }
        let answer = request.call().map_err(|error| self.silence(url, error))?;
        let (head, body) = answer.into_parts();
        Ok((head.status.as_u16(), head.headers, body.into_reader()))
    }

    fn silence(&self, url: &str, error: ureq::Error) -> Silence {
        if let Some(reason) = untrusted(&error) {
            return Silence::Lasting(Error::Certificate { url: url.into(), reason });
        }
        match error {
            ureq::Error::BadUri(_) | ureq::Error::Http(_) => {
                Silence::Lasting(Error::Address { address: url.into() })
            }
            ureq::Error::Timeout(Timeout::Connect) => {
                Silence::Passing(format!("no connection within {} s", self.connect.as_secs_f32()))
            }
            error => Silence::Passing(reason(error, self.stall)),
        }
    }
}

impl Answer {
    fn new(
        status: u16,
        headers: &HeaderMap,
        linked: (Option<String>, Option<u64>),
        body: BodyReader<'static>,
        stall: Duration,
    ) -> Self {
        let length = number(headers, &CONTENT_LENGTH);
        let sha256 = linked.0.map(|tag| tag.trim_matches('"').to_owned());
        Self {
            status,
            length,
            framed: length.is_some() || headers.contains_key(TRANSFER_ENCODING),
            range: text(headers, &CONTENT_RANGE).map_or((None, None), |range| content_range(&range)),
            etag: text(headers, &ETAG),
            modified: text(headers, &LAST_MODIFIED),
            retry_after: number(headers, &RETRY_AFTER).map(Duration::from_secs),
            linked_sha256: sha256.filter(|hex| hex.len() == 64 && hex.bytes().all(|b| b.is_ascii_hexdigit())),
            linked_size: linked.1,
            body,
            stall,
        }
    }

    /// What names this version of the file among all others: a strong tag, else its date.
    pub(super) fn validator(&self) -> Option<&String> {
        self.etag.as_ref().filter(|tag| tag.starts_with('"')).or(self.modified.as_ref())
    }

    /// Reads on in the body; 0 is its end, and the error is why there is no more.
    pub(super) fn read(&mut self, buffer: &mut [u8]) -> Result<usize, String> {
        self.body.read(buffer).map_err(|error| reason(error.into(), self.stall))
    }
}

fn text(headers: &HeaderMap, name: &HeaderName) -> Option<String> {
    headers.get(name)?.to_str().ok().map(String::from)
}

fn number(headers: &HeaderMap, name: &HeaderName) -> Option<u64> {
    text(headers, name)?.trim().parse().ok()
}

/// The start and the size in `bytes 5-9/10`, of which either may be `*`.
fn content_range(text: &str) -> (Option<u64>, Option<u64>) {
    let Some((range, total)) = text.trim().strip_prefix("bytes ").and_then(|text| text.split_once('/'))
    else {
        return (None, None);
    };
    (range.split('-').next().and_then(|start| start.trim().parse().ok()), total.trim().parse().ok())
}

/// Why TLS does not trust the server, if that is what `error` says.
fn untrusted(error: &ureq::Error) -> Option<String> {
    let tls = match error {
        ureq::Error::Rustls(tls) => tls,
        ureq::Error::Io(error) => error.get_ref()?.downcast_ref()?,
        _ => return None,
    };
    matches!(tls, rustls::Error::InvalidCertificate(_)).then(|| tls.to_string())
}

/// What went wrong, in a few words.
fn reason(error: ureq::Error, stall: Duration) -> String {
    match error {
        ureq::Error::Timeout(Timeout::PerRead | Timeout::PerWrite) => {
            format!("the server sent nothing for {} s", stall.as_secs_f32())
        }
        ureq::Error::Io(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
            "the connection ended early".into()
        }
        ureq::Error::Io(error) => error.to_string(),
        error => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_content_range_is_a_start_and_a_size() {
        assert_eq!(content_range("bytes 5-9/10"), (Some(5), Some(10)));
        assert_eq!(content_range("bytes 5-9/*"), (Some(5), None));
        assert_eq!(content_range("bytes */10"), (None, Some(10)));
        for strange in ["", "bytes", "bytes 5", "lines 5-9/10", "bytes -/x"] {
            assert_eq!(content_range(strange), (None, None), "{strange}");
        }
    }
}
