//! Why an input makes no request.

/// Why an input makes no request.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RequestError {
    /// A value of the input has no place in the request.
    #[error("the input at {pointer}: {message}")]
    Input {
        /// Where in the input, as a JSON pointer.
        pointer: String,
        /// What is wrong, in a few words.
        message: String,
    },
    /// The statement of the operation can't be used.
    #[error("the statement: {0}")]
    Statement(String),
    /// A template of the operation failed.
    #[error("a template of the operation: {0}")]
    Template(String),
}
