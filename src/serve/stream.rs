//! The byte stream of a connection, TCP or Unix, and the state that follows from its traffic.

use std::io;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, Interest, ReadBuf};
use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};

use super::connections::{Connection, Phase};
use super::prepared_head::HeadSplice;
use crate::system::sockets;

/// A listening socket registered with the runtime of one thread.
#[derive(Debug)]
pub enum AsyncListener {
    Tcp(TcpListener),
    Unix(UnixListener),
}

impl AsyncListener {
    /// Returns the next connection and the address of its peer, if it has one.
    pub async fn accept(&self) -> io::Result<(Stream, Option<IpAddr>)> {
        match self {
            Self::Tcp(listener) => {
                let (stream, address) = listener.accept().await?;
                Ok((Stream::Tcp(stream), Some(address.ip())))
            }
            Self::Unix(listener) => listener.accept().await.map(|(stream, _)| (Stream::Unix(stream), None)),
        }
    }
}

impl TryFrom<sockets::Listener> for AsyncListener {
    type Error = io::Error;

    fn try_from(listener: sockets::Listener) -> io::Result<Self> {
        match listener {
            sockets::Listener::Tcp(listener) => TcpListener::from_std(listener).map(Self::Tcp),
            sockets::Listener::Unix(listener) => UnixListener::from_std(listener).map(Self::Unix),
        }
    }
}

/// A connection.
#[derive(Debug)]
pub enum Stream {
    Tcp(TcpStream),
    Unix(UnixStream),
}

impl Stream {
    /// Waits until the client has sent something or has disconnected.
    pub fn poll_readable(&self, context: &mut Context<'_>) -> Poll<()> {
        loop {
            let ready = match self {
                Self::Tcp(stream) => stream.poll_read_ready(context),
                Self::Unix(stream) => stream.poll_read_ready(context),
            };
            ready!(ready).ok();
            // The runtime reports each new connection as readable, whether it is or not.
            let peeked = match self {
                Self::Tcp(stream) => stream.try_io(Interest::READABLE, || sockets::peek(stream)),
                Self::Unix(stream) => stream.try_io(Interest::READABLE, || sockets::peek(stream)),
            };
            if !peeked.is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock) {
                return Poll::Ready(());
            }
        }
    }
}

/// The response to a client when all connections are in use.
const TOO_MANY_CONNECTIONS: &[u8] =
    b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 5\r\nCache-Control: no-store\r\n\
    Content-Length: 0\r\nConnection: close\r\n\r\n";

impl Stream {
    /// Sends a 503 and closes the connection, without waiting: a client that cannot receive it sees the connection end.
    pub fn refuse(self) {
        let _ = match &self {
            Self::Tcp(stream) => stream.try_write(TOO_MANY_CONNECTIONS),
            Self::Unix(stream) => stream.try_write(TOO_MANY_CONNECTIONS),
        };
    }

    /// Closes the connection and discards data that the kernel still buffers for the client.
    pub fn abandon(self) {
        if let Self::Tcp(stream) = self {
            // On failure it closes like any other connection.
            let _ = sockets::forget_unsent(&stream);
        }
    }
}

/// Calls a method of the inner stream.
macro_rules! on_stream {
    ($stream:expr, $method:ident ( $($argument:expr),* )) => {
        match &mut $stream {
            Stream::Tcp(stream) => Pin::new(stream).$method($($argument),*),
            Stream::Unix(stream) => Pin::new(stream).$method($($argument),*),
        }
    };
}

/// A stream that updates the state of its connection.
#[derive(Debug)]
pub struct Observed {
    /// The byte stream.
    pub stream: Stream,
    /// The state that it updates.
    connection: Arc<Connection>,
    /// A head with prepared lines that is being sent.
    splice: Option<HeadSplice>,
}

impl Observed {
    /// Updates the state of a connection that hyper is about to use.
    pub fn new(stream: Stream, connection: Arc<Connection>) -> Self {
        connection.prepared.set_flushed(true);
        Self { stream, connection, splice: None }
    }

    /// Sends the slices that hyper passes, and a head with prepared lines before them. Returns the number of hyper's bytes sent.
    fn poll_splice(
        &mut self,
        context: &mut Context<'_>,
        mut splice: HeadSplice,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        loop {
            let outcome = {
                let pieces = splice.pieces(slices);
                // A plain write is cheaper for the kernel than a vectored one of a single slice.
                match pieces {
                    [head, first, second] if first.is_empty() && second.is_empty() => {
                        on_stream!(self.stream, poll_write(context, &head))
                    }
                    [head, first, second] if first.is_empty() => {
                        on_stream!(self.stream, poll_write_vectored(context, &[head, second]))
                    }
                    pieces => on_stream!(self.stream, poll_write_vectored(context, &pieces)),
                }
            };
            self.wrote(&outcome);
            let (count, is_sent) = match outcome {
                Poll::Ready(Ok(count)) if count > 0 => splice.record(count),
                outcome => {
                    self.splice = Some(splice);
                    return outcome;
                }
            };
            if is_sent || count > 0 {
                self.splice = (!is_sent).then_some(splice);
                return Poll::Ready(Ok(count));
            }
        }
    }

    fn wrote(&self, outcome: &Poll<io::Result<usize>>) {
        match outcome {
            Poll::Ready(Ok(bytes)) => self.connection.add_written(*bytes),
            Poll::Ready(Err(_)) => {}
            Poll::Pending => self.connection.set_blocked(true),
        }
    }
}

impl AsyncRead for Observed {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let outcome = on_stream!(self.stream, poll_read(context, buffer));
        if buffer.filled().len() > before && self.connection.phase() == Phase::Idle {
            self.connection.enter(Phase::AwaitingRequest);
        }
        outcome
    }
}

impl AsyncWrite for Observed {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.poll_write_vectored(context, &[io::IoSlice::new(bytes)])
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let splice = match self.connection.prepared.take() {
            Some(lines) => {
                let head = slices.first().map_or(&[][..], |head| head);
                let splice = HeadSplice::new(head, &lines);
                // Never without its lines: the connection ends.
                Some(splice.ok_or_else(|| io::Error::other("a response does not begin with its head"))?)
            }
            None => self.splice.take(),
        };
        if let Some(splice) = splice {
            return self.poll_splice(context, splice, slices);
        }
        let outcome = match slices {
            [one] => on_stream!(self.stream, poll_write(context, one)),
            several => on_stream!(self.stream, poll_write_vectored(context, several)),
        };
        self.wrote(&outcome);
        outcome
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.connection.set_blocked(false);
        self.connection.prepared.set_flushed(true);
        on_stream!(self.stream, poll_flush(context))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        on_stream!(self.stream, poll_shutdown(context))
    }
}
