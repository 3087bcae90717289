//! The body of a response: bytes in memory, or a file that is read while it is sent.

use std::io;
use std::ops::Range;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::{Frame, SizeHint};

use super::connections::{Connection, Phase};
use crate::folder::media::OpenMedia;
use crate::system::threads::WorkPool;

/// Bytes read at a time. At most two chunks are buffered for each client that downloads a file.
pub const CHUNK: usize = 64 << 10;

/// An open file, and the threads that read it.
#[derive(Debug)]
pub struct FileSource {
    opened: OpenMedia,
    pool: WorkPool,
}

impl FileSource {
    /// Reads the file on the threads of `pool`.
    pub fn new(opened: OpenMedia, pool: WorkPool) -> Self {
        Self { opened, pool }
    }

    /// The open file.
    pub fn opened(&self) -> &OpenMedia {
        &self.opened
    }

    /// The open file, without the threads.
    pub fn into_opened(self) -> OpenMedia {
        self.opened
    }

    /// Reads on a thread of the pool: async threads must never wait for a disk.
    async fn read(self: Arc<Self>, offset: u64, length: usize) -> io::Result<Bytes> {
        let place = self.pool.place().await.map_err(io::Error::other)?;
        let pool = self.pool.clone();
        let read = move || self.opened.read(offset, length);
        pool.run(place, read).await.map_err(io::Error::other)?.map(Bytes::from)
    }
}

type PendingRead = Pin<Box<dyn Future<Output = io::Result<Bytes>> + Send>>;

/// A range of a file. Only what the client accepts is read; dropping it when the client disconnects ends the reading.
pub struct FileStream {
    source: Arc<FileSource>,
    left: Range<u64>,
    reading: Option<PendingRead>,
}

impl FileStream {
    fn poll_chunk(&mut self, context: &mut Context<'_>) -> Poll<Option<io::Result<Bytes>>> {
        if self.left.is_empty() {
            return Poll::Ready(None);
        }
        let reading = self.reading.get_or_insert_with(|| {
            let length = usize::try_from(self.left.end - self.left.start).unwrap_or(CHUNK).min(CHUNK);
            Box::pin(self.source.clone().read(self.left.start, length))
        });
        let chunk = ready!(reading.as_mut().poll(context));
        self.reading = None;
        match &chunk {
            Ok(bytes) => self.left.start += bytes.len() as u64,
            Err(error) => tracing::warn!(%error, "cannot read a media file; its response is cut off"),
        }
        Poll::Ready(Some(chunk))
    }
}

/// The body of a response.
pub enum ResponseBody {
    /// Bytes in memory.
    Whole(Full<Bytes>),
    /// A range of a media file.
    File(FileStream),
}

impl ResponseBody {
    /// A range of a file; it must lie within the file.
    pub fn file(source: Arc<FileSource>, part: Range<u64>) -> Self {
        Self::File(FileStream { source, left: part, reading: None })
    }
}

impl Default for ResponseBody {
    fn default() -> Self {
        Self::Whole(Full::default())
    }
}

impl From<Bytes> for ResponseBody {
    fn from(bytes: Bytes) -> Self {
        Self::Whole(Full::new(bytes))
    }
}

impl hyper::body::Body for ResponseBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        match self.get_mut() {
            Self::Whole(whole) => Pin::new(whole)
                .poll_frame(context)
                .map(|frame| frame.map(|frame| frame.map_err(|never| match never {}))),
            Self::File(stream) => stream.poll_chunk(context).map(|chunk| chunk.map(|chunk| chunk.map(Frame::data))),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Whole(whole) => whole.is_end_stream(),
            Self::File(stream) => stream.left.is_empty(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Whole(whole) => whole.size_hint(),
            Self::File(stream) => SizeHint::with_exact(stream.left.end - stream.left.start),
        }
    }
}

/// A body that marks its connection as idle once it has been sent.
pub struct Sending {
    body: ResponseBody,
    connection: Arc<Connection>,
}

impl Sending {
    /// Sends `body` on `connection`.
    pub fn new(body: ResponseBody, connection: Arc<Connection>) -> Self {
        Self { body, connection }
    }
}

impl Drop for Sending {
    fn drop(&mut self) {
        self.connection.enter(Phase::Idle);
    }
}

impl hyper::body::Body for Sending {
    type Data = <ResponseBody as hyper::body::Body>::Data;
    type Error = <ResponseBody as hyper::body::Body>::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        Pin::new(&mut self.get_mut().body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
