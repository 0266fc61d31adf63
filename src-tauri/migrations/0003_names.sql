-- Answers of the server by what was asked, and the requests for which a notification was raised.
alter table kept rename to cached_answers;
alter table alerted rename to notified;
