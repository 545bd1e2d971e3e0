/* SPDX-License-Identifier: MIT */
/*
 * Who sent what, and who received it: what was sent is received once, what was
 * not is not, and nobody receives a sender's elements out of order.
 */
#ifndef LEDGER_H
#define LEDGER_H

#include <fiber/chan.h>

#define LEDGER_SENDERS 4
#define LEDGER_RECEIVERS 8
#define LEDGER_EACH 8

void ledger_reset(void);
/* The sender's next element; not 0. */
int ledger_next(int sender);
/* What became of it: 0 if it was sent. */
void ledger_sent(int element, int err);
void ledger_received(int receiver, int element);
/* Take what is left in the channel; nobody may wait there. Give it back. */
void ledger_drain(struct fiber_chan *chan);
/* At the end: both sides agree. Returns how many elements there were. */
int ledger_check(void);

#endif /* LEDGER_H */
