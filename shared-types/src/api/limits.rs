//! How long the texts that clients send may be, in Unicode characters, unless another unit is named. The JSON Schemas
//! of bodies and queries say the same as `maxLength`, and the server refuses what is longer with 422.

/// The largest body that is read, in bytes, where an endpoint says nothing else.
pub const BODY: usize = 1024 * 1024;
/// The largest body that brings a connector with its document, in bytes.
pub const CONNECTOR_BODY: usize = 10 * 1024 * 1024;
/// An event's id.
pub const EVENT_ID: usize = 200;
/// An event's type.
pub const EVENT_TYPE: usize = 200;
/// An event's source.
pub const EVENT_SOURCE: usize = 200;
/// A person's address.
pub const ADDRESS: usize = 254;
/// The header `Idempotency-Key`, in bytes of printable ASCII.
pub const IDEMPOTENCY_KEY: usize = 200;
/// The comment of a decision.
pub const COMMENT: usize = 10_000;
/// The hash of what an approver read.
pub const SEEN: usize = 200;
/// Why a run is cancelled.
pub const CANCEL_REASON: usize = 1_000;
/// A secret's name.
pub const SECRET_NAME: usize = 100;
/// A secret's value; in bytes of UTF-8 as well.
pub const SECRET_VALUE: usize = 65_536;
/// The shortest secret of a webhook.
pub const WEBHOOK_SECRET_MIN: usize = 16;
/// A webhook's secret.
pub const WEBHOOK_SECRET: usize = 200;
/// A workflow's or a rule's id.
pub const SLUG: usize = 100;
/// A search's words.
pub const SEARCH: usize = 200;
/// The cursor of a page.
pub const CURSOR: usize = 1_000;
/// A filter by somebody's or something's name.
pub const NAME_FILTER: usize = 300;
/// A span of time.
pub const SPAN: usize = 50;
/// The most items of a foreach that a tree shows.
pub const ITEMS: u32 = 2_000;
/// The most items of a page.
pub const PAGE: u32 = 200;
/// Name of a level, a calendar or the like, in bytes.
pub const NAME: usize = 300;
