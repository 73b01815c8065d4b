use std::io::Read;

use crate::Chunk;

/// One file of a container, in the order of the container.
pub struct Member<'a> {
    /// Path in the container, `/` between its parts; what is no UTF-8 in it replaced. It can name a person.
    pub path: &'a str,
    /// Number of the payload in its package.
    pub payload: u32,
    /// Position of the file in the payload.
    pub ordinal: u64,
    /// Size as the container states it; only a hint.
    pub size: u64,
    /// The bytes.
    pub content: &'a mut dyn Read,
}

/// Where a reader puts what it has read.
pub trait Output {
    /// Takes a chunk: whole patients, as far as the container keeps a patient's files together.
    ///
    /// # Errors
    /// [`ReadError::Output`] when it cannot take any more; the reader then stops.
    fn chunk(&mut self, chunk: Chunk) -> Result<(), ReadError>;
}

impl<F: FnMut(Chunk) -> Result<(), ReadError>> Output for F {
    fn chunk(&mut self, chunk: Chunk) -> Result<(), ReadError> {
        self(chunk)
    }
}

/// A reader of one format. Each format that providers send implements it.
pub trait Reader {
    /// Takes the next file.
    ///
    /// # Errors
    /// Only when the input breaks off or the output refuses; what is wrong within a file becomes a finding.
    fn member(&mut self, member: Member<'_>, out: &mut dyn Output) -> Result<(), ReadError>;

    /// Hands out what is left, after the last file.
    ///
    /// # Errors
    /// When the output refuses.
    fn finish(&mut self, out: &mut dyn Output) -> Result<(), ReadError>;
}

/// Why reading stopped.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The container's bytes ended or failed.
    #[error("the input failed at file {ordinal} of payload {payload}: {source}; send or copy it again")]
    Input {
        /// Payload.
        payload: u32,
        /// Position of the file.
        ordinal: u64,
        /// Cause.
        source: std::io::Error,
    },
    /// The receiver of chunks did not take one.
    #[error("the rows could not be passed on: {0}")]
    Output(String),
    /// A frame of chunks between processes is not what it should be.
    #[error("a frame of rows is malformed ({0}); the sending process is not of this version, or broke")]
    Frame(&'static str),
    /// A frame could not be read or written.
    #[error("a frame of rows could not be passed on: {0}")]
    Pipe(#[from] std::io::Error),
    /// Arrow refused rows.
    #[error("rows could not be encoded: {0}")]
    Arrow(#[from] arrow::error::ArrowError),
}
