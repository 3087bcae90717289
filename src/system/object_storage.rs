//! Object storage: S3, and the services that speak like it. Calls block, for a bounded time.
//!
//! Credentials, region and endpoint come from the environment, in the variables that other programs for S3 use: `AWS_ACCESS_KEY_ID`,
//! `AWS_SECRET_ACCESS_KEY`, `AWS_SESSION_TOKEN`, `AWS_REGION`, `AWS_ENDPOINT_URL`, or from the machine or container that this runs on.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::path::{Path as FilePath, PathBuf};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::{StreamExt as _, TryStreamExt as _};
use http_body_util::BodyExt as _;
use hyper_rustls::HttpsConnector;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey};
use object_store::client::{
    HttpClient, HttpConnector as MakeHttpClient, HttpError, HttpErrorKind, HttpRequest, HttpRequestBody, HttpResponse,
    HttpResponseBody, HttpService,
};
use object_store::path::Path;
pub use object_store::{Attribute, Attributes};
use object_store::{
    BackoffConfig, ClientOptions, ObjectStore, ObjectStoreExt as _, PutMode, PutMultipartOptions, PutOptions,
    PutPayload, RetryConfig,
};
use tokio::runtime::Runtime;
use tokio::time::timeout;
use tokio_rustls::rustls::ClientConfig;

use super::tls;

/// Time for a connection, and for a lookup of its name.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

/// Time in which an operation must end, with its retries. More is allowed for what is large: a second for each MiB.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);

/// Time after which an idle connection is closed; services close them after 20 seconds or more.
const IDLE_TIMEOUT: Duration = Duration::from_secs(15);

/// Size of the parts in which a large file is sent, in bytes. S3 wants at least 5 MiB, and has at most 10,000 parts.
pub const PART: usize = 16 << 20;

/// Longest key that S3 has, in bytes.
const LONGEST_KEY: usize = 1024;

/// Requests of one operation that run at the same time.
pub const CONCURRENCY: usize = 16;

/// The object storage cannot be used now. What was asked may have been done nevertheless.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct StorageError(pub String);

/// The result of an operation on object storage.
pub type StorageResult<T> = Result<T, StorageError>;

/// The part of a bucket below a prefix. Keys are relative to it.
pub struct ObjectStorage {
    store: Arc<dyn ObjectStore>,
    prefix: Path,
    runtime: Option<Runtime>,
    place: String,
}

/// Opens `s3://bucket/prefix` with the settings of the environment.
///
/// # Errors
/// As for [`ObjectStorage::open_in`].
pub fn open(address: &str) -> StorageResult<ObjectStorage> {
    ObjectStorage::open_in(
        address,
        std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?))),
    )
}

impl ObjectStorage {
    /// Opens `s3://bucket/prefix` with the settings of an environment. The bucket is reached only when it is first used.
    ///
    /// # Errors
    /// The address or the environment is wrong.
    pub fn open_in(address: &str, environment: impl IntoIterator<Item = (String, String)>) -> StorageResult<Self> {
        let place = address.trim_end_matches('/');
        let wrong = |why: &str| StorageError(format!("{place}: {why}"));
        let Some(rest) = place.strip_prefix("s3://") else {
            return Err(wrong("an address of object storage is s3://bucket/prefix"));
        };
        let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
        let is_name = |c: char| c.is_ascii_alphanumeric() || ['.', '-', '_'].contains(&c);
        if bucket.is_empty() || !bucket.chars().all(is_name) {
            return Err(wrong("an address of object storage is s3://bucket/prefix"));
        }
        let prefix = Path::parse(prefix).map_err(|error| wrong(&error.to_string()))?;
        let mut builder = AmazonS3Builder::new();
        let (mut authorities, mut is_plain) = (None, false);
        for (name, value) in environment {
            if name == "AWS_CA_BUNDLE" {
                authorities = Some(PathBuf::from(value));
                continue;
            }
            let name = name.to_ascii_lowercase();
            let key = name.starts_with("aws_").then(|| name.parse().ok()).flatten();
            let Some(key) = key else { continue };
            let is_endpoint = matches!(key, AmazonS3ConfigKey::Endpoint | AmazonS3ConfigKey::S3Endpoint);
            is_plain |= is_endpoint && value.starts_with("http://");
            builder = builder.with_config(key, value);
        }
        // An operator who writes http:// means it, and may have no certificate authorities.
        builder = if is_plain { builder.with_allow_http(true) } else { builder };
        let tls = if is_plain { tls::trusting_none() } else { tls::client_config(authorities.as_deref()) };
        let client = OwnClient::new(tls.map_err(|why| wrong(&why))?);
        let builder = builder.with_bucket_name(bucket).with_retry(retries()).with_http_connector(client);
        let store = builder.build().map_err(|error| wrong(&describe(&error)))?;
        let runtime = crate::system::threads::runtime().map_err(|error| wrong(&error.to_string()))?;
        Ok(Self { store: Arc::new(store), prefix, runtime: Some(runtime), place: place.to_owned() })
    }

    /// The address, which has no credentials.
    pub fn place(&self) -> &str {
        &self.place
    }

    fn path(&self, key: &str) -> Path {
        // Keys as they are: services decode the path of an address before they look for one.
        let key = Path::parse(key).unwrap_or_else(|_| Path::from(key));
        self.prefix.parts().chain(key.parts()).collect()
    }

    /// Whether services have a key of this name.
    pub fn can_have(&self, key: &str) -> bool {
        Path::parse(key).is_ok_and(|path| path.as_ref() == key) && self.path(key).as_ref().len() <= LONGEST_KEY
    }

    fn error(&self, error: &object_store::Error) -> StorageError {
        StorageError(format!("{}: {}", self.place, describe(error)))
    }

    /// Runs an operation, until it ends or the time for `size` bytes is over.
    fn run<T>(&self, size: usize, work: impl Future<Output = T>) -> StorageResult<T> {
        let closed = || StorageError(format!("{} is closed", self.place));
        let bound = ANSWER_TIMEOUT + Duration::from_secs(u64::try_from(size >> 20).unwrap_or(u64::MAX));
        // The timeout needs the runtime when it is made.
        let result = self.runtime.as_ref().ok_or_else(closed)?.block_on(async { timeout(bound, work).await });
        result.map_err(|_| StorageError(format!("{}: no answer within {} seconds", self.place, bound.as_secs())))
    }

    /// Runs an operation that must succeed.
    fn must_run<T>(&self, size: usize, work: impl Future<Output = object_store::Result<T>>) -> StorageResult<T> {
        self.run(size, work)?.map_err(|error| self.error(&error))
    }

    /// Stores an object, unless there is one with this key. Returns whether this call has created it. `false` may mean that an earlier
    /// attempt, whose answer was lost, did.
    ///
    /// # Errors
    /// There was no answer in time, or a refusal. The object may have been created.
    pub fn create(&self, key: &str, bytes: &[u8]) -> StorageResult<bool> {
        self.create_with(key, Bytes::copy_from_slice(bytes), Attributes::new())
    }

    /// As [`ObjectStorage::create`], with attributes.
    ///
    /// # Errors
    /// As for [`ObjectStorage::create`].
    pub fn create_with(&self, key: &str, bytes: Bytes, attributes: Attributes) -> StorageResult<bool> {
        let options = PutOptions { mode: PutMode::Create, attributes, ..PutOptions::default() };
        let size = bytes.len();
        match self.run(size, self.store.put_opts(&self.path(key), bytes.into(), options))? {
            Ok(_) => Ok(true),
            // Two requests at the same time can be refused, too (409), and then there may be no object yet.
            Err(object_store::Error::AlreadyExists { .. }) if self.size(key)?.is_some() => Ok(false),
            Err(error) => Err(self.error(&error)),
        }
    }

    /// Stores an object, in the place of one with this key.
    ///
    /// # Errors
    /// There was no answer in time, or a refusal. The object may have been stored.
    pub fn put(&self, key: &str, bytes: Bytes, attributes: Attributes) -> StorageResult<()> {
        let options = PutOptions { attributes, ..PutOptions::default() };
        let size = bytes.len();
        self.must_run(size, self.store.put_opts(&self.path(key), bytes.into(), options)).map(|_| ())
    }

    /// Replaces objects by empty ones, several at the same time. One that is not there stays away.
    ///
    /// # Errors
    /// There was no answer in time, or a refusal. Some may be empty.
    pub fn empty(&self, keys: &[String]) -> StorageResult<()> {
        let empty = |key: &String| {
            let path = self.path(key);
            async move {
                match self.store.head(&path).await {
                    Ok(found) if found.size > 0 => self.store.put(&path, PutPayload::default()).await.map(|_| ()),
                    Ok(_) | Err(object_store::Error::NotFound { .. }) => Ok(()),
                    Err(error) => Err(error),
                }
            }
        };
        for keys in keys.chunks(CONCURRENCY * 4) {
            let all = futures_util::stream::iter(keys.iter().map(empty)).buffer_unordered(CONCURRENCY);
            self.must_run(0, all.try_collect::<()>())?;
        }
        Ok(())
    }

    /// Stores a file, which appears as a whole, in the place of an object with this key.
    ///
    /// # Errors
    /// The file cannot be read; or as for [`ObjectStorage::put`].
    pub fn put_file(&self, key: &str, file: &FilePath) -> StorageResult<()> {
        let at = |error: std::io::Error| StorageError(format!("{}: {error}", file.display()));
        let source = File::open(file).map_err(at)?;
        let part = || {
            let mut bytes = Vec::new();
            let limit = u64::try_from(PART).unwrap_or(u64::MAX);
            (&source).take(limit).read_to_end(&mut bytes).map_err(at).map(|_| bytes)
        };
        self.put_parts(key, Attributes::new(), part)
    }

    /// Stores what `part` returns, call by call: parts of [`PART`] bytes, then a shorter one. The object appears as a whole, in the place of
    /// one with this key.
    ///
    /// # Errors
    /// `part` failed; or as for [`ObjectStorage::put`].
    pub fn put_parts(
        &self,
        key: &str,
        attributes: Attributes,
        mut part: impl FnMut() -> StorageResult<Vec<u8>>,
    ) -> StorageResult<()> {
        let mut bytes = part()?;
        if bytes.len() < PART {
            return self.put(key, bytes.into(), attributes);
        }
        let path = self.path(key);
        let options = PutMultipartOptions { attributes, ..PutMultipartOptions::default() };
        let mut upload = self.must_run(0, self.store.put_multipart_opts(&path, options))?;
        let mut send_all = || {
            while !bytes.is_empty() {
                self.must_run(bytes.len(), upload.put_part(std::mem::take(&mut bytes).into()))?;
                bytes = part()?;
            }
            self.must_run(0, upload.complete()).map(|_| ())
        };
        let sent = send_all();
        if sent.is_err() {
            let _ = self.run(0, upload.abort());
        }
        sent
    }

    /// The content of an object; `None` if there is none.
    ///
    /// # Errors
    /// There was no answer in time, or a refusal.
    pub fn get(&self, key: &str) -> StorageResult<Option<Vec<u8>>> {
        let mut content = Vec::new();
        let is_there = self.get_parts(key, |bytes| {
            content.extend_from_slice(bytes);
            Ok(())
        })?;
        Ok(is_there.then_some(content))
    }

    /// Writes the content of an object to a file. Returns whether there is one.
    ///
    /// # Errors
    /// The file cannot be written; or as for [`ObjectStorage::get`].
    pub fn get_to_file(&self, key: &str, file: &FilePath) -> StorageResult<bool> {
        let at = |error: std::io::Error| StorageError(format!("{}: {error}", file.display()));
        let mut target = None;
        let is_there = self.get_parts(key, |bytes| {
            if target.is_none() {
                target = Some(File::create(file).map_err(at)?);
            }
            target.as_mut().map_or(Ok(()), |target| target.write_all(bytes)).map_err(at)
        })?;
        if is_there && target.is_none() {
            File::create(file).map_err(at)?;
        }
        Ok(is_there)
    }

    /// Gives the content of an object part by part. Returns whether there is one.
    ///
    /// # Errors
    /// `take` failed; or as for [`ObjectStorage::get`].
    pub fn get_parts(&self, key: &str, mut take: impl FnMut(&[u8]) -> StorageResult<()>) -> StorageResult<bool> {
        let mut parts = match self.run(0, self.store.get(&self.path(key)))? {
            Err(object_store::Error::NotFound { .. }) => return Ok(false),
            found => found.map_err(|error| self.error(&error))?.into_stream(),
        };
        while let Some(part) = self.run(0, parts.next())? {
            take(&part.map_err(|error| self.error(&error))?)?;
        }
        Ok(true)
    }

    /// The size of an object in bytes; `None` if there is none.
    ///
    /// # Errors
    /// There was no answer in time, or a refusal.
    pub fn size(&self, key: &str) -> StorageResult<Option<u64>> {
        match self.run(0, self.store.head(&self.path(key)))? {
            Ok(found) => Ok(Some(found.size)),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(self.error(&error)),
        }
    }

    /// Whether there is an object whose name `is_meant`.
    ///
    /// # Errors
    /// There was no answer in time, or a refusal.
    pub fn has_any(&self, is_meant: impl Fn(&str) -> bool) -> StorageResult<bool> {
        let mut found = self.store.list(Some(&self.prefix));
        while let Some(object) = self.run(0, found.next())? {
            let object = object.map_err(|error| self.error(&error))?;
            let relative = object.location.prefix_match(&self.prefix).map(Iterator::collect::<Path>);
            if relative.is_some_and(|path| is_meant(path.as_ref())) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The names of all objects directly or deeper below `folder`, relative to it.
    ///
    /// # Errors
    /// There was no answer in time, or a refusal.
    pub fn list(&self, folder: &str) -> StorageResult<Vec<String>> {
        let folder = self.path(folder);
        let mut found = self.store.list(Some(&folder));
        let mut names = Vec::new();
        while let Some(object) = self.run(0, found.next())? {
            let object = object.map_err(|error| self.error(&error))?;
            let relative = object.location.prefix_match(&folder).map(Iterator::collect::<Path>);
            names.extend(relative.map(|path| path.to_string()));
        }
        Ok(names)
    }

    /// Removes objects. One that is not there is no error.
    ///
    /// # Errors
    /// There was no answer in time, or a refusal. Some may be removed.
    pub fn remove(&self, keys: &[String]) -> StorageResult<()> {
        let paths: Vec<_> = keys.iter().map(|key| Ok(self.path(key))).collect();
        let mut results = self.store.delete_stream(futures_util::stream::iter(paths).boxed());
        while let Some(result) = self.run(0, results.next())? {
            match result {
                Err(object_store::Error::NotFound { .. }) => {}
                result => result.map(|_| ()).map_err(|error| self.error(&error))?,
            }
        }
        Ok(())
    }
}

impl std::fmt::Debug for ObjectStorage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ObjectStorage").field("place", &self.place).finish_non_exhaustive()
    }
}

impl Drop for ObjectStorage {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            // A lookup of a name may still block.
            runtime.shutdown_background();
        }
    }
}

/// All that an error says, in one line.
fn describe(error: &object_store::Error) -> String {
    const LONGEST: usize = 500;
    let text = error.to_string();
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    line.chars().take(LONGEST).collect()
}

/// A few attempts, in the time of one operation.
fn retries() -> RetryConfig {
    let backoff =
        BackoffConfig { init_backoff: Duration::from_millis(100), max_backoff: Duration::from_secs(1), base: 2.0 };
    RetryConfig { backoff, max_retries: 3, retry_timeout: ANSWER_TIMEOUT }
}

/// The HTTP client, over the crates that the server uses, too.
#[derive(Debug, Clone)]
struct OwnClient(Client<HttpsConnector<HttpConnector>, HttpRequestBody>);

impl OwnClient {
    fn new(tls: ClientConfig) -> Self {
        let mut tcp = HttpConnector::new();
        tcp.enforce_http(false);
        tcp.set_connect_timeout(Some(CONNECT_TIMEOUT));
        tcp.set_nodelay(true);
        tcp.set_keepalive(Some(IDLE_TIMEOUT));
        let https = hyper_rustls::HttpsConnectorBuilder::new().with_tls_config(tls);
        let https = https.https_or_http().enable_http1().wrap_connector(tcp);
        let mut client = Client::builder(TokioExecutor::new());
        client.pool_idle_timeout(IDLE_TIMEOUT).pool_timer(TokioTimer::new());
        Self(client.build(https))
    }
}

impl MakeHttpClient for OwnClient {
    fn connect(&self, _: &ClientOptions) -> object_store::Result<HttpClient> {
        Ok(HttpClient::new(self.clone()))
    }
}

impl HttpService for OwnClient {
    fn call<'life0, 'async_trait>(
        &'life0 self,
        request: HttpRequest,
    ) -> Pin<Box<dyn Future<Output = Result<HttpResponse, HttpError>> + Send + 'async_trait>>
    where
        'life0: 'async_trait,
        Self: 'async_trait,
    {
        Box::pin(async move {
            let answer = self.0.request(request).await;
            // Only a request that was certainly not sent may be repeated whatever it asks for.
            let kind = |error: &hyper_util::client::legacy::Error| {
                if error.is_connect() { HttpErrorKind::Connect } else { HttpErrorKind::Interrupted }
            };
            let (parts, body) = answer.map_err(|error| HttpError::new(kind(&error), with_causes(&error)))?.into_parts();
            let body = body.map_err(|error| HttpError::new(HttpErrorKind::Interrupted, with_causes(&error)));
            Ok(HttpResponse::from_parts(parts, HttpResponseBody::new(body)))
        })
    }
}

fn with_causes(error: &dyn std::error::Error) -> std::io::Error {
    let causes = std::iter::successors(Some(error), |error| error.source());
    std::io::Error::other(causes.map(ToString::to_string).collect::<Vec<_>>().join(": "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place_or_error(address: &str) -> String {
        ObjectStorage::open_in(address, []).map_or_else(|error| error.0, |storage| storage.place().to_owned())
    }

    #[test]
    fn addresses_are_checked() {
        assert_eq!(place_or_error("s3://bucket"), "s3://bucket");
        assert_eq!(place_or_error("s3://my-bucket.example/a/b/"), "s3://my-bucket.example/a/b");
        for wrong in ["s3://", "s3:///prefix", "gs://bucket", "s3://user:secret@bucket/a"] {
            assert!(place_or_error(wrong).contains("is s3://bucket/prefix"), "{wrong}");
        }
        assert!(place_or_error("s3://bucket/a//b").contains("a//b"));
    }

    #[test]
    fn keys_are_below_the_prefix() {
        let storage = ObjectStorage::open_in("s3://bucket/a/b", []).unwrap();
        assert_eq!(storage.path("records/1").as_ref(), "a/b/records/1");
        let storage = ObjectStorage::open_in("s3://bucket", []).unwrap();
        assert_eq!(storage.path("records/1").as_ref(), "records/1");
    }
}
