//! The desktop's notification server, as a test: takes notifications over D-Bus, and clicks them.

use crate::wait::eventually;
use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};
use zbus::{Connection, connection, interface, object_server::SignalEmitter, zvariant::OwnedValue};

const PATH: &str = "/org/freedesktop/Notifications";

#[derive(Debug, Clone)]
pub(crate) struct Shown {
    pub(crate) id: u32,
    pub(crate) summary: String,
    pub(crate) body: String,
    pub(crate) closed: bool,
}

#[derive(Clone, Default)]
struct Server(Arc<Mutex<Vec<Shown>>>);

#[expect(clippy::unused_self, reason = "the bus calls methods of an object")]
#[interface(name = "org.freedesktop.Notifications")]
impl Server {
    #[expect(clippy::too_many_arguments, reason = "the Desktop Notifications Specification has these")]
    fn notify(
        &self,
        app_name: &str,
        replaces: u32,
        icon: &str,
        summary: &str,
        body: &str,
        actions: Vec<String>,
        hints: HashMap<String, OwnedValue>,
        timeout: i32,
    ) -> u32 {
        // The specification has more than this test looks at.
        let _ = (app_name, icon, actions, hints, timeout);
        let mut shown = self.0.lock().unwrap();
        if let Some(known) = shown.iter_mut().find(|shown| shown.id == replaces) {
            summary.clone_into(&mut known.summary);
            body.clone_into(&mut known.body);
            return replaces;
        }
        let id = u32::try_from(shown.len()).unwrap() + 1;
        shown.push(Shown { id, summary: summary.to_owned(), body: body.to_owned(), closed: false });
        id
    }

    async fn close_notification(&self, id: u32, #[zbus(signal_emitter)] emitter: SignalEmitter<'_>) {
        if let Some(shown) = self.0.lock().unwrap().iter_mut().find(|shown| shown.id == id) {
            shown.closed = true;
        }
        emitter.notification_closed(id, 3).await.unwrap();
    }

    fn get_capabilities(&self) -> Vec<String> {
        ["actions", "body"].map(str::to_owned).to_vec()
    }

    fn get_server_information(&self) -> (String, String, String, String) {
        ("a test".into(), "this project".into(), "1".into(), "1.2".into())
    }

    #[zbus(signal)]
    async fn action_invoked(emitter: &SignalEmitter<'_>, id: u32, action: &str) -> zbus::Result<()>;

    #[zbus(signal)]
    async fn notification_closed(emitter: &SignalEmitter<'_>, id: u32, reason: u32) -> zbus::Result<()>;
}

pub(crate) struct Notifications {
    shown: Arc<Mutex<Vec<Shown>>>,
    connection: Connection,
}

impl Notifications {
    /// Begins to take notifications.
    pub(crate) async fn serve() -> Self {
        let server = Server::default();
        let shown = Arc::clone(&server.0);
        let connection = connection::Builder::session()
            .unwrap()
            .name("org.freedesktop.Notifications")
            .unwrap()
            .serve_at(PATH, server)
            .unwrap()
            .build()
            .await
            .unwrap();
        Self { shown, connection }
    }

    /// Everything that was shown.
    pub(crate) fn all(&self) -> Vec<Shown> {
        self.shown.lock().unwrap().clone()
    }

    /// The notification that tells of something, once it is there.
    pub(crate) async fn about(&self, words: &str) -> Shown {
        eventually(words, || async {
            let found = self.all().into_iter().find(|shown| shown.summary.contains(words));
            found.ok_or_else(|| format!("{:?}", self.all()))
        })
        .await
    }

    /// Clicks a notification, which puts it away.
    pub(crate) async fn click(&self, id: u32) {
        self.shown
            .lock()
            .unwrap()
            .iter_mut()
            .filter(|shown| shown.id == id)
            .for_each(|shown| shown.closed = true);
        let interface = self.connection.object_server().interface::<_, Server>(PATH).await.unwrap();
        Server::action_invoked(interface.signal_emitter(), id, "default").await.unwrap();
    }
}
