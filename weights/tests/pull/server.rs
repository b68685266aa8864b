//! A web server on the loopback interface whose responses the test chooses. It handles one connection at a time and one
//! request for each connection.

use std::fmt::Display;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

/// A request that the server received.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) path: String,
    pub(crate) headers: Vec<(String, String)>,
}

impl Request {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// The first byte of the requested range.
    pub(crate) fn start(&self) -> Option<usize> {
        self.header("range")?.strip_prefix("bytes=")?.strip_suffix('-')?.parse().ok()
    }
}

/// A response, and how the connection ends.
#[derive(Debug, Clone, Default)]
pub(crate) struct Reply {
    status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    chunked: bool,
    hang: bool,
    silent: bool,
    pause: Duration,
}

impl Reply {
    /// A complete response.
    pub(crate) fn new(status: u16, body: &[u8]) -> Self {
        Self { status, body: body.into(), ..Self::default() }.header("Content-Length", body.len())
    }

    /// The response of a correct server: the requested range, if `tag` is still the file's.
    pub(crate) fn file(request: &Request, file: &[u8], tag: &str) -> Self {
        let same = request.header("if-range").is_none_or(|wanted| wanted == tag);
        let reply = match request.start().filter(|_| same) {
            None => Self::new(200, file),
            Some(start) if start >= file.len() => {
                Self::new(416, b"").header("Content-Range", format!("bytes */{}", file.len()))
            }
            Some(start) => {
                let range = format!("bytes {start}-{}/{}", file.len() - 1, file.len());
                Self::new(206, &file[start..]).header("Content-Range", range)
            }
        };
        reply.header("ETag", tag)
    }

    /// Sets a header, or removes it if the value is empty.
    pub(crate) fn header(mut self, name: &str, value: impl Display) -> Self {
        self.headers.retain(|(key, _)| !key.eq_ignore_ascii_case(name));
        self.headers.push((name.into(), value.to_string()));
        self.headers.retain(|(_, value)| !value.is_empty());
        self
    }

    /// Closes the connection after `len` bytes of the body.
    pub(crate) fn cut(mut self, len: usize) -> Self {
        self.body.truncate(len);
        self
    }

    /// Keeps the connection open after the body, until the client closes it.
    pub(crate) fn hang(mut self) -> Self {
        self.hang = true;
        self
    }

    /// Waits before the body is sent.
    pub(crate) fn pause(mut self, pause: Duration) -> Self {
        self.pause = pause;
        self
    }

    /// Sends nothing at all.
    pub(crate) fn silent() -> Self {
        Self { silent: true, ..Self::default() }
    }

    /// Sends the body in chunks, without a length.
    pub(crate) fn chunked(mut self) -> Self {
        self.chunked = true;
        self.header("Content-Length", "").header("Transfer-Encoding", "chunked")
    }

    fn send(&self, stream: &mut TcpStream) -> io::Result<()> {
        if self.silent {
            return io::copy(stream, &mut io::sink()).map(drop);
        }
        write!(stream, "HTTP/1.1 {} Whatever\r\nConnection: close\r\n", self.status)?;
        for (name, value) in &self.headers {
            write!(stream, "{name}: {value}\r\n")?;
        }
        stream.write_all(b"\r\n")?;
        std::thread::sleep(self.pause);
        if self.chunked {
            for chunk in self.body.chunks(1000) {
                write!(stream, "{:x}\r\n", chunk.len())?;
                stream.write_all(chunk)?;
                stream.write_all(b"\r\n")?;
            }
            stream.write_all(if self.hang { b"" } else { b"0\r\n\r\n" })?;
        } else {
            stream.write_all(&self.body)?;
        }
        if self.hang {
            io::copy(stream, &mut io::sink())?;
        }
        Ok(())
    }
}

/// The server; dropping it stops its thread.
#[derive(Debug)]
pub(crate) struct Server {
    /// `http://127.0.0.1:PORT`.
    pub(crate) origin: String,
    asked: Arc<Mutex<Vec<Request>>>,
    done: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// Answers request number n, counted from 0, with `answer(request, n)`; with `None` the connection is closed.
    pub(crate) fn new(mut answer: impl FnMut(&Request, usize) -> Option<Reply> + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let origin = format!("http://{}", listener.local_addr().unwrap());
        let (asked, done) = (Arc::new(Mutex::new(Vec::new())), Arc::new(AtomicBool::new(false)));
        let (log, over) = (Arc::clone(&asked), Arc::clone(&done));
        let thread = std::thread::spawn(move || {
            let mut count = 0;
            for stream in listener.incoming() {
                if over.load(Ordering::SeqCst) {
                    return;
                }
                let Some((mut stream, request)) = stream.ok().and_then(read) else { continue };
                log.lock().unwrap().push(request.clone());
                // Many tests close the connection, so an error of sending is expected.
                let _ = answer(&request, count).map(|reply| reply.send(&mut stream));
                count += 1;
            }
        });
        Self { origin, asked, done, thread: Some(thread) }
    }

    /// A correct server with one file.
    pub(crate) fn of(file: Vec<u8>) -> Self {
        Self::new(move |request, _| Some(Reply::file(request, &file, "\"v1\"")))
    }

    pub(crate) fn url(&self) -> String {
        format!("{}/models/vgg.h5", self.origin)
    }

    /// The requests so far.
    pub(crate) fn asked(&self) -> Vec<Request> {
        self.asked.lock().unwrap().clone()
    }

    /// The first bytes of the ranges that were requested so far; `None` for a whole file.
    pub(crate) fn starts(&self) -> Vec<Option<usize>> {
        self.asked().iter().map(Request::start).collect()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.done.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(self.origin.trim_start_matches("http://"));
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Reads the head of a request from a connection.
fn read(stream: TcpStream) -> Option<(TcpStream, Request)> {
    let mut reader = BufReader::new(stream.try_clone().ok()?).take(1 << 16);
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let path = line.split(' ').nth(1)?.to_owned();
    let mut headers = Vec::new();
    loop {
        line.clear();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(": ") else { break };
        headers.push((name.to_owned(), value.to_owned()));
    }
    Some((stream, Request { path, headers }))
}
