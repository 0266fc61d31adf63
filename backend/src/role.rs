//! What a server does of what all servers on a database do together.

/// The role of a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Role {
    /// It answers requests and performs.
    #[default]
    All,
    /// It answers requests. What follows from them is performed by others.
    Api,
    /// It performs calls, fires timers, starts what is scheduled and published, and sends messages out.
    Worker,
}

impl Role {
    /// Whether it performs calls and runs the loops that watch the time.
    pub fn performs(self) -> bool {
        match self {
            Self::All | Self::Worker => true,
            Self::Api => false,
        }
    }

    /// Whether it answers requests of the API.
    pub fn answers(self) -> bool {
        match self {
            Self::All | Self::Api => true,
            Self::Worker => false,
        }
    }
}
