//! Takes connections and serves them: with bounds on how long a client may take to say what it wants, and an orderly
//! end.

use axum::{Extension, Router, extract::ConnectInfo};
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::conn::auto::Builder,
    service::TowerToHyperService,
};
use std::{net::SocketAddr, pin::pin, time::Duration};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tower::Layer as _;

/// How long a client may take to send the head of a request; an idle connection is closed after the same time.
const HEAD_TIME: Duration = Duration::from_secs(30);
/// How long to wait after a connection could not be taken, as when there are too many open files.
const AFTER_FAILURE: Duration = Duration::from_millis(200);

/// Serves connections until `stop`, then waits for the requests that are under way.
pub(crate) async fn serve(listener: TcpListener, app: Router, stop: CancellationToken) {
    let open = TaskTracker::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = stop.cancelled() => break,
        };
        match accepted {
            Ok((stream, peer)) => {
                open.spawn(serve_one(stream, peer, app.clone(), stop.clone()));
            }
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(AFTER_FAILURE).await;
            }
        }
    }
    drop(listener);
    open.close();
    open.wait().await;
}

/// What a client that speaks HTTP/2 from the start sends first (RFC 9113, 3.4).
const HTTP2_PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/// How often is looked for the rest of a preface.
const PREFACE_PAUSE: Duration = Duration::from_millis(50);

/// Waits until it is clear which protocol the client speaks: reading the head, which has a time limit, begins after that.
async fn says_something(stream: &TcpStream) -> bool {
    let mut begin = [0; HTTP2_PREFACE.len()];
    loop {
        match stream.peek(&mut begin).await {
            Ok(0) | Err(_) => return false,
            Ok(count) if count < begin.len() && HTTP2_PREFACE.starts_with(&begin[..count]) => {
                tokio::time::sleep(PREFACE_PAUSE).await;
            }
            Ok(_) => return true,
        }
    }
}

async fn serve_one(stream: TcpStream, peer: SocketAddr, app: Router, stop: CancellationToken) {
    let begins = tokio::select! {
        begins = tokio::time::timeout(HEAD_TIME, says_something(&stream)) => begins,
        () = stop.cancelled() => return,
    };
    if begins != Ok(true) {
        return;
    }
    // Answers are small; waiting to fill a packet would delay them.
    let _ = stream.set_nodelay(true);
    let service = TowerToHyperService::new(Extension(ConnectInfo(peer)).layer(app));
    let mut builder = Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(HEAD_TIME);
    builder.http2().timer(TokioTimer::new()).keep_alive_interval(Some(HEAD_TIME)).enable_connect_protocol();
    let mut connection = pin!(builder.serve_connection_with_upgrades(TokioIo::new(stream), service));
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = stop.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        // Clients go away all the time.
        tracing::trace!(error = %error, %peer, "a connection ended");
    }
}
