//! The webhook door: signature, delivery headers, lenient events, into the inbox.
