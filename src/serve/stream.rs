//! The bytes of one connection, and what they say of the client.

use std::io;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, Interest, ReadBuf};
use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};

use super::connections::{Connection, Phase};
use crate::system::sockets;

/// A socket that clients connect to, on the runtime of one thread.
#[derive(Debug)]
pub enum Listener {
    Tcp(TcpListener),
    Unix(UnixListener),
}

impl Listener {
    /// The next connection, and the address of its other end, if it has one.
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

impl TryFrom<sockets::Listener> for Listener {
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
    /// Waits until the client has said something, or has gone.
    pub fn poll_readable(&self, context: &mut Context<'_>) -> Poll<()> {
        loop {
            let ready = match self {
                Self::Tcp(stream) => stream.poll_read_ready(context),
                Self::Unix(stream) => stream.poll_read_ready(context),
            };
            ready!(ready).ok();
            // The runtime says so of each new connection, whether it is true or not.
            let said = match self {
                Self::Tcp(stream) => stream.try_io(Interest::READABLE, || sockets::peek(stream)),
                Self::Unix(stream) => stream.try_io(Interest::READABLE, || sockets::peek(stream)),
            };
            if !said.is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock) {
                return Poll::Ready(());
            }
        }
    }
}

/// What is said to a client that there is no room for.
const NO_ROOM: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 5\r\nCache-Control: no-store\r\n\
    Content-Length: 0\r\nConnection: close\r\n\r\n";

impl Stream {
    /// Says that there is no room, and ends the connection. Waits for nothing: who does not hear it sees the end.
    pub fn refuse(self) {
        let _ = match &self {
            Self::Tcp(stream) => stream.try_write(NO_ROOM),
            Self::Unix(stream) => stream.try_write(NO_ROOM),
        };
    }

    /// Ends the connection with nothing more sent: what waits in the system for a client that does not take it goes, too.
    pub fn abandon(self) {
        if let Self::Tcp(stream) = self {
            // Otherwise it ends as any other.
            let _ = sockets::forget_unsent(&stream);
        }
    }
}

/// Calls a method of whichever it is.
macro_rules! on_stream {
    ($stream:expr, $method:ident ( $($argument:expr),* )) => {
        match &mut $stream {
            Stream::Tcp(stream) => Pin::new(stream).$method($($argument),*),
            Stream::Unix(stream) => Pin::new(stream).$method($($argument),*),
        }
    };
}

/// A connection that writes down what its client does.
#[derive(Debug)]
pub struct Observed {
    /// Itself.
    pub stream: Stream,
    /// Where that is written.
    pub connection: Arc<Connection>,
}

impl Observed {
    fn wrote(&self, outcome: &Poll<io::Result<usize>>) {
        match outcome {
            Poll::Ready(Ok(bytes)) => self.connection.took(*bytes),
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
            self.connection.enter(Phase::Asking);
        }
        outcome
    }
}

impl AsyncWrite for Observed {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let outcome = on_stream!(self.stream, poll_write(context, bytes));
        self.wrote(&outcome);
        outcome
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        // The system does more for several pieces, even where there is but one.
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

    /// Is asked for once all is written.
    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.connection.set_blocked(false);
        on_stream!(self.stream, poll_flush(context))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        on_stream!(self.stream, poll_shutdown(context))
    }
}
