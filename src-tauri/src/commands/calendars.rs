//! The workspace's calendars.

use super::Handle;
use crate::{
    client::{Document, DocumentKind, Request},
    shell::Shell,
};
use shared_types::{
    api::{
        NoBody, NoQuery, Page,
        calendars::{
            DeleteCalendar, ImportedHolidays, ListCalendars, PutCalendar, PutHolidays, StoredCalendar,
        },
    },
    desktop::{CachePolicy, Failure, Loaded, commands},
    workflow::calendar::Calendar,
};

/// Under which key they are kept.
const KEY: &str = "calendars";

/// The calendars as they were last seen, or as the server has them; none where neither is known.
pub(super) async fn known(shell: &Shell) -> Vec<Calendar> {
    let read = read(shell, CachePolicy::CacheFirst).await;
    let stored = read.map(|loaded| loaded.data.items).unwrap_or_default();
    stored.into_iter().map(|stored| stored.calendar).collect()
}

async fn read(shell: &Shell, policy: CachePolicy) -> Result<Loaded<Page<StoredCalendar>>, Failure> {
    shell.read(KEY, policy, &Request::<ListCalendars>::at(&[])).await
}

impl Handle for commands::ListCalendars {
    async fn handle(self, shell: &Shell) -> Result<Loaded<Page<StoredCalendar>>, Failure> {
        let Self { policy } = self;
        read(shell, policy).await
    }
}

impl Handle for commands::SetCalendar {
    async fn handle(self, shell: &Shell) -> Result<StoredCalendar, Failure> {
        let Self { calendar } = self;
        let path: &[&str] = &[&calendar.name];
        let call = Request::<PutCalendar> { path, query: &NoQuery {}, body: &calendar, headers: &[] };
        shell.call(&call).await
    }
}

impl Handle for commands::DeleteCalendar {
    async fn handle(self, shell: &Shell) -> Result<(), Failure> {
        let Self { name } = self;
        let path: &[&str] = &[&name];
        let NoBody {} = shell.call(&Request::<DeleteCalendar>::at(path)).await?;
        Ok(())
    }
}

impl Handle for commands::ImportHolidays {
    async fn handle(self, shell: &Shell) -> Result<ImportedHolidays, Failure> {
        let Self { name, file } = self;
        let document = Document { text: &file, kind: DocumentKind::ICalendar, if_match: None };
        shell.send_document::<PutHolidays>(&[&name], &document).await
    }
}
