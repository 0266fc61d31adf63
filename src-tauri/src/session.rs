//! Who is signed in: tokens are refreshed here and seen by nobody else.

use crate::{
    client::{Call, Client},
    clock,
    keyring_store::{self, KeptSession},
};
use chrono::{DateTime, Duration, Utc};
use shared_types::{
    api::{
        Endpoint, NoQuery,
        auth::{Login, LoginRequest, Logout, Refresh, RefreshRequest, Session, SignedIn},
    },
    desktop::{Failure, SessionView},
};
use tokio::sync::Mutex;

/// An access token is refreshed this long before it runs out.
const AHEAD_SECONDS: i64 = 30;

/// The session, behind one lock: only one refresh at a time.
#[derive(Debug, Default)]
pub(crate) struct Sessions(Mutex<Option<Active>>);

#[derive(Debug, Clone)]
struct Active {
    server: String,
    access_token: String,
    until: DateTime<Utc>,
    refresh_token: String,
    user: SignedIn,
    lasting: bool,
}

/// A session as other parts see it.
#[derive(Debug, Clone)]
pub(crate) struct Entered {
    pub(crate) server: String,
    pub(crate) token: String,
}

impl Sessions {
    /// Signs in; also gives the mark of this machine, to be sent with the next sign-in.
    pub(crate) async fn sign_in(
        &self,
        client: &Client,
        server: &str,
        login: &LoginRequest,
    ) -> Result<(SessionView, Option<String>), Failure> {
        let call = Call::<Login> { path: &[], query: &NoQuery {}, body: login, headers: &[] };
        let mut session = client.call(server, None, &call).await?;
        let device = session.device.take();
        let mut active = self.0.lock().await;
        *active = Some(take(server, session, false).await);
        Ok((view(active.as_ref(), server), device))
    }

    /// Takes up the session that was kept when the app last ran.
    pub(crate) async fn take_up(&self, client: &Client, kept: &KeptSession) -> Result<SessionView, Failure> {
        let session = refresh(client, &kept.server, &kept.refresh_token).await?;
        let mut active = self.0.lock().await;
        *active = Some(take(&kept.server, session, true).await);
        Ok(view(active.as_ref(), &kept.server))
    }

    /// A session whose server doesn't answer yet: what was seen can be shown.
    pub(crate) async fn take_up_offline(&self, kept: &KeptSession, user: SignedIn) -> SessionView {
        let mut active = self.0.lock().await;
        *active = Some(Active {
            server: kept.server.clone(),
            access_token: String::new(),
            until: DateTime::UNIX_EPOCH,
            refresh_token: kept.refresh_token.clone(),
            user,
            lasting: true,
        });
        view(active.as_ref(), &kept.server)
    }

    /// Who is signed in, without asking the server.
    pub(crate) async fn who(&self) -> Option<(String, SignedIn)> {
        self.0.lock().await.as_ref().map(|active| (active.server.clone(), active.user.clone()))
    }

    /// How it looks to the pages.
    pub(crate) async fn view(&self, last_server: &str) -> SessionView {
        view(self.0.lock().await.as_ref(), last_server)
    }

    /// The session with a token that works; refreshed where it runs out.
    pub(crate) async fn enter(&self, client: &Client) -> Result<Entered, Failure> {
        let mut active = self.0.lock().await;
        let Some(current) = active.clone() else { return Err(Failure::SignedOut) };
        if current.until > clock::now() + Duration::seconds(AHEAD_SECONDS) {
            return Ok(entered(&current));
        }
        let session = refresh(client, &current.server, &current.refresh_token).await?;
        let fresh = take(&current.server, session, current.lasting).await;
        let entered = entered(&fresh);
        *active = Some(fresh);
        Ok(entered)
    }

    /// The token ran out before its time: the next call gets a fresh one.
    pub(crate) async fn expire(&self) {
        if let Some(active) = self.0.lock().await.as_mut() {
            active.until = DateTime::UNIX_EPOCH;
        }
    }

    /// Signs out; the server is told if it answers.
    pub(crate) async fn sign_out(&self, client: &Client) {
        let active = self.0.lock().await.take();
        keyring_store::forget().await;
        if let Some(active) = active {
            let body = RefreshRequest { refresh_token: active.refresh_token };
            let call = Call::<Logout> { path: &[], query: &NoQuery {}, body: &body, headers: &[] };
            // The session ends by itself if this doesn't arrive.
            let _ = client.call(&active.server, None, &call).await;
        }
    }
}

fn entered(active: &Active) -> Entered {
    Entered { server: active.server.clone(), token: active.access_token.clone() }
}

fn view(active: Option<&Active>, last_server: &str) -> SessionView {
    match active {
        Some(active) => SessionView::SignedIn {
            server: active.server.clone(),
            user: active.user.clone(),
            lasting: active.lasting,
        },
        None => SessionView::SignedOut { server: last_server.to_owned(), because: None },
    }
}

/// Holds a fresh session, and keeps its refresh token before anything else is done with it.
async fn take(server: &str, session: Session, was_lasting: bool) -> Active {
    let kept = KeptSession { server: server.to_owned(), refresh_token: session.refresh_token.clone() };
    let lasting = keyring_store::keep(kept).await || was_lasting;
    let seconds = i64::try_from(session.expires_in).unwrap_or_default();
    Active {
        server: server.to_owned(),
        access_token: session.access_token,
        until: clock::now() + Duration::seconds(seconds),
        refresh_token: session.refresh_token,
        user: session.user,
        lasting,
    }
}

async fn refresh(
    client: &Client,
    server: &str,
    token: &str,
) -> Result<<Refresh as Endpoint>::Response, Failure> {
    let body = RefreshRequest { refresh_token: token.to_owned() };
    let call = Call::<Refresh> { path: &[], query: &NoQuery {}, body: &body, headers: &[] };
    client.call(server, None, &call).await
}
