// SPDX-License-Identifier: MIT
/*
 * Boxes: elements too large to be copied under a lock.
 *
 * A channel keeps as many free ones as it has capacity: in a steady state none
 * is allocated.
 */
#include <stdlib.h>

#include "chan.h"

struct fiber_box *_fiber_box_get(struct fiber_chan *c, const void *elem)
{
	struct fiber_box *box;

	fiber_lock(&c->box_lock);
	box = c->boxes;
	if (box) {
		c->boxes = box->next;
		c->nr_boxes--;
	}
	fiber_unlock(&c->box_lock);
	if (!box)
		box = malloc(sizeof(*box) + c->elem_size);
	if (box)
		memcpy(box->elem, elem, c->elem_size);
	return box;
}

void _fiber_box_put(struct fiber_chan *c, struct fiber_box *box)
{
	if (!box)
		return;
	fiber_lock(&c->box_lock);
	if (c->nr_boxes < c->cap) {
		box->next = c->boxes;
		c->boxes = box;
		c->nr_boxes++;
		box = NULL;
	}
	fiber_unlock(&c->box_lock);
	free(box);
}

void _fiber_box_open(struct fiber_chan *c, void *elem, struct fiber_box *box)
{
	if (elem)
		memcpy(elem, box->elem, c->elem_size);
	_fiber_box_put(c, box);
}
