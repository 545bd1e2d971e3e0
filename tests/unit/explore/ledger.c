// SPDX-License-Identifier: MIT
/*
 * The ledger. Elements may be received before their send returns.
 */
#include <errno.h>
#include <string.h>

#include "chan.h"
#include "explore.h"
#include "ledger.h"

/* The number of a receiver: whoever empties a channel. */
#define DRAIN LEDGER_RECEIVERS

enum fate {
	UNUSED,
	OFFERED,
	SENT,
	REFUSED,
};

static struct ledger {
	int offered[LEDGER_SENDERS];
	enum fate fate[LEDGER_SENDERS][LEDGER_EACH];
	bool received[LEDGER_SENDERS][LEDGER_EACH];
	int last[DRAIN + 1][LEDGER_SENDERS]; /* received from whom */
} ledger;

void ledger_reset(void)
{
	memset(&ledger, 0, sizeof(ledger));
}

int ledger_next(int sender)
{
	int i = ledger.offered[sender]++;

	CHECK(i < LEDGER_EACH);
	ledger.fate[sender][i] = OFFERED;
	return 1 + sender * LEDGER_EACH + i;
}

void ledger_sent(int element, int err)
{
	int sender = (element - 1) / LEDGER_EACH;

	ledger.fate[sender][(element - 1) % LEDGER_EACH] = err ? REFUSED : SENT;
}

void ledger_received(int receiver, int element)
{
	int sender = (element - 1) / LEDGER_EACH;
	int i = (element - 1) % LEDGER_EACH;

	EXPECT(element >= 1 && sender < LEDGER_SENDERS);
	EXPECT(ledger.fate[sender][i] == OFFERED ||
	       ledger.fate[sender][i] == SENT);
	EXPECT(!ledger.received[sender][i]);
	EXPECT(ledger.last[receiver][sender] < element);
	ledger.last[receiver][sender] = element;
	ledger.received[sender][i] = true;
}

void ledger_drain(struct fiber_chan *chan)
{
	char element[512] = { 0 };
	int value;

	CHECK(chan->elem_size <= sizeof(element));
	EXPECT(!chan->recvq);
	EXPECT(!chan->sendq);
	memset(ledger.last[DRAIN], 0, sizeof(ledger.last[DRAIN]));
	while (!fiber_try_recv(chan, element)) {
		memcpy(&value, element, sizeof(value));
		ledger_received(DRAIN, value);
	}
	EXPECT_EQ(chan->count, 0);
	EXPECT_EQ(at_load(&chan->refs, RELAXED), 1);
	fiber_chan_put(chan);
}

int ledger_check(void)
{
	int n = 0;
	int s;
	int i;

	for (s = 0; s < LEDGER_SENDERS; s++) {
		for (i = 0; i < LEDGER_EACH; i++) {
			EXPECT(ledger.fate[s][i] != OFFERED);
			EXPECT_EQ(ledger.fate[s][i] == SENT,
				  ledger.received[s][i]);
			n += ledger.received[s][i];
		}
	}
	return n;
}
