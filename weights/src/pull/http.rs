//! Sends one request to a server, follows redirects and returns the response. This is the only file that speaks HTTP;
//! `fetch` decides what to request and how to treat the response.

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

use super::address::{self, masked};
use super::part::PartRecord;
use super::watch::Watch;
use super::{Error, PullOptions};

/// The largest number of redirects that are followed.
const MAX_REDIRECTS: usize = 10;

/// The headers in which the hub sends a file's SHA-256 and size before it redirects to another server.
const LINKED_ETAG: HeaderName = HeaderName::from_static("x-linked-etag");
const LINKED_SIZE: HeaderName = HeaderName::from_static("x-linked-size");

/// The reason why a request had no response.
#[derive(Debug)]
pub(super) enum HttpFailure {
    /// A later request may succeed; the text is the reason.
    Temporary(String),
    /// A later request would fail in the same way.
    Permanent(Error),
}

/// An HTTP client with the timeouts, the proxies and the stop of a pull.
#[derive(Debug)]
pub(super) struct Client {
    agent: Agent,
    stall: Duration,
    connect: Duration,
    /// Whether any server has answered a request of this client.
    pub(super) answered: bool,
}

/// The head of an HTTP response; the body is read afterwards with [`read`](Self::read).
pub(super) struct HttpResponse {
    /// The HTTP status, such as 200 or 404.
    pub(super) status: u16,
    /// The length of the body in bytes, if the server sent it.
    pub(super) length: Option<u64>,
    /// Whether a length or chunks mark the end of the body, and not only the end of the connection.
    pub(super) framed: bool,
    /// The first byte of the range, and the size of the whole file in bytes.
    pub(super) range: (Option<u64>, Option<u64>),
    /// The entity tag, strong or weak.
    pub(super) etag: Option<String>,
    /// The `Last-Modified` date, as the server wrote it.
    pub(super) modified: Option<String>,
    /// The wait before the next request that the server asks for.
    pub(super) retry_after: Option<Duration>,
    /// The SHA-256 of the file that the hub sent, 64 hexadecimal digits.
    pub(super) linked_sha256: Option<String>,
    /// The size of the file in bytes that the hub sent.
    pub(super) linked_size: Option<u64>,
    body: BodyReader<'static>,
    stall: Duration,
}

impl Client {
    pub(super) fn new(options: &PullOptions) -> Self {
        // A system without certificates can still download over HTTP; over HTTPS, the handshake fails and says why.
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

    /// Requests the file at `url`. With `from`, requests the bytes after the first `from.1`, if the file is still the
    /// one of the record.
    pub(super) fn get(
        &mut self,
        url: &str,
        from: Option<(&PartRecord, u64)>,
    ) -> Result<HttpResponse, HttpFailure> {
        let lasting = |reason: String| HttpFailure::Permanent(Error::Redirect { url: masked(url), reason });
        let (mut at, mut linked) = (url.to_owned(), (None, None));
        for _ in 0..=MAX_REDIRECTS {
            let (status, headers, body) = self.ask(&at, from)?;
            self.answered = true;
            linked.0 = linked.0.or_else(|| text(&headers, &LINKED_ETAG));
            linked.1 = linked.1.or_else(|| number(&headers, &LINKED_SIZE));
            if !matches!(status, 301 | 302 | 303 | 307 | 308) {
                return Ok(HttpResponse::new(status, &headers, linked, body, self.stall));
            }
            let location = text(&headers, &LOCATION).unwrap_or_default();
            at = address::redirect(&at, &location).map_err(lasting)?;
        }
        Err(lasting(format!("more than {MAX_REDIRECTS} other addresses")))
    }

    fn ask(
        &self,
        url: &str,
        from: Option<(&PartRecord, u64)>,
    ) -> Result<(u16, HeaderMap, BodyReader<'static>), HttpFailure> {
        let mut request = self.agent.get(url);
        if let Some((record, size)) = from {
            request = request.header("range", format!("bytes={size}-")).header("if-range", &record.validator);
        }
        let answer = request.call().map_err(|error| self.silence(url, error))?;
        let (head, body) = answer.into_parts();
        Ok((head.status.as_u16(), head.headers, body.into_reader()))
    }

    fn silence(&self, url: &str, error: ureq::Error) -> HttpFailure {
        if let Some(reason) = untrusted(&error) {
            return HttpFailure::Permanent(Error::Certificate { url: masked(url), reason });
        }
        match error {
            ureq::Error::BadUri(_) | ureq::Error::Http(_) => {
                HttpFailure::Permanent(Error::Address { address: masked(url) })
            }
            ureq::Error::Timeout(Timeout::Connect) => {
                HttpFailure::Temporary(format!("no connection within {} s", self.connect.as_secs_f32()))
            }
            error => HttpFailure::Temporary(reason(error, self.stall)),
        }
    }
}

impl HttpResponse {
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

    /// The value that identifies this version of the file: a strong entity tag, or else the date of modification.
    pub(super) fn validator(&self) -> Option<&String> {
        self.etag.as_ref().filter(|tag| tag.starts_with('"')).or(self.modified.as_ref())
    }

    /// Reads the next bytes of the body; 0 is its end. The error is a reason in words.
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

/// The reason why TLS does not trust the server, if `error` is about that.
fn untrusted(error: &ureq::Error) -> Option<String> {
    let tls = match error {
        ureq::Error::Rustls(tls) => tls,
        ureq::Error::Io(error) => error.get_ref()?.downcast_ref()?,
        _ => return None,
    };
    matches!(tls, rustls::Error::InvalidCertificate(_)).then(|| tls.to_string())
}

/// Describes an error in a few words.
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
