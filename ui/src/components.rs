//! The design system: small parts that pages are made of.

pub(crate) mod confirm;
pub(crate) mod connection_banner;
pub(crate) mod findings;
pub(crate) mod icon;
pub(crate) mod loading;
pub(crate) mod overlay;
pub(crate) mod rail;
pub(crate) mod search;
pub(crate) mod source_editor;
pub(crate) mod states;
pub(crate) mod tab_link;
pub(crate) mod toast;
pub(crate) mod why_tree;
