// SPDX-License-Identifier: GPL-2.0-only
/*
 * Subscribers: who is told which events.
 *
 * MODEL. One worker takes events from the rings and gives each to every
 * subscriber that asked for it, may see the task, and has a number for it in
 * its pid namespace. Messages are unicast: a multicast message could be neither
 * filtered by the listener's rights nor numbered for its namespace.
 *
 * A subscriber that does not read loses events: its socket reports ENOBUFS,
 * and the next event it does get tells how many it has missed, those that a
 * ring had no room for included.
 *
 * LIFETIME. A subscription ends by unsubscribe, by the end of its socket, or at
 * unload, when a last message says so. While it is on the list its socket is
 * there, and so is the socket's network namespace.
 *
 * LOCKING. subscribers_lock guards the list and its members. The worker holds
 * it while it sends one event, which never waits: a full socket is skipped.
 */
#include <linux/ktime.h>
#include <linux/mutex.h>
#include <linux/pid.h>
#include <linux/slab.h>
#include <linux/workqueue.h>

#include "event.h"
#include "subscriber.h"

static DEFINE_MUTEX(subscribers_lock);
static LIST_HEAD(subscribers);
static u32 subscribers_n;
static bool closed;
static fiber_send_fn *send_event;

static void deliver(struct work_struct *work);
static DECLARE_WORK(deliver_work, deliver);

/* From a probe: preemption is off, and no lock of the scheduler is held. */
static void wake_deliver(void)
{
	schedule_work(&deliver_work);
}

static bool about(const struct fiber_subscriber *s, const struct fiber_event *e)
{
	if (!s->pid || s->pid == e->tgid)
		return true;
	return e->type == FIBER_EVENT_TYPE_FORK && s->pid == e->parent;
}

static bool wants(const struct fiber_subscriber *s, const struct fiber_event *e)
{
	return s->types & BIT(e->type) && e->time_ns >= s->since_ns &&
	       about(s, e) && pid_nr_ns(e->tgid, s->caller.pid_ns) &&
	       (!s->by_uid ||
		s->uid == fiber_caller_uid(&s->caller, e->cred)) &&
	       fiber_may_see(&s->caller, e->cred);
}

static u64 missed(const struct fiber_subscriber *s)
{
	return s->dropped + fiber_events_lost() - s->lost_before;
}

static void deliver_one(const struct fiber_event *e)
{
	struct fiber_subscriber *s;

	mutex_lock(&subscribers_lock);
	list_for_each_entry(s, &subscribers, link)
		if (wants(s, e) && send_event(s, e, missed(s)))
			s->dropped++;
	mutex_unlock(&subscribers_lock);
}

static void deliver(struct work_struct *work)
{
	struct fiber_event e;

	while (fiber_event_take(&e)) {
		deliver_one(&e);
		fiber_event_release(&e);
		cond_resched();
	}
}

/**
 * fiber_subscriber_free - free one that is not on the list
 * @s: the subscriber
 */
void fiber_subscriber_free(struct fiber_subscriber *s)
{
	put_pid(s->pid);
	fiber_caller_put(&s->caller);
	fiber_owner_exit(&s->owner);
	kfree(s);
}

static void end(struct fiber_subscriber *s)
{
	lockdep_assert_held(&subscribers_lock);
	list_del(&s->link);
	subscribers_n--;
	fiber_event_stop();
	fiber_subscriber_free(s);
}

static struct fiber_subscriber *find(const struct sk_buff *request)
{
	struct fiber_subscriber *s;

	list_for_each_entry(s, &subscribers, link)
		if (fiber_owner_is(&s->owner, request))
			return s;
	return NULL;
}

static u32 subscribers_of(kuid_t uid)
{
	struct fiber_subscriber *s;
	u32 n = 0;

	list_for_each_entry(s, &subscribers, link)
		n += uid_eq(s->owner.uid, uid);
	return n;
}

static int may_add(const struct sk_buff *request, kuid_t uid,
		   struct netlink_ext_ack *extack)
{
	if (closed) {
		NL_SET_ERR_MSG(extack, "the module is being unloaded");
		return -ENODEV;
	}
	if (find(request)) {
		NL_SET_ERR_MSG(extack, "this socket has subscribed already");
		return -EEXIST;
	}
	if (subscribers_n >= FIBER_SUBSCRIBERS_MAX) {
		NL_SET_ERR_MSG(extack,
			       "the system's limit of subscribers is reached");
		return -ENOSPC;
	}
	if (subscribers_of(uid) >= FIBER_SUBSCRIBERS_USER_MAX) {
		NL_SET_ERR_MSG(extack,
			       "the user's limit of subscribers is reached");
		return -EDQUOT;
	}
	return 0;
}

/**
 * fiber_subscriber_add - begin to tell events
 * @request: whose socket is to be told
 * @s: all but the counts filled in; still the caller's on failure
 * @extack: for the sentence of a refusal
 *
 * Return: 0; -EEXIST, -ENOSPC, -EDQUOT, -EOPNOTSUPP, -ENODEV, -ENOMEM.
 */
int fiber_subscriber_add(const struct sk_buff *request,
			 struct fiber_subscriber *s,
			 struct netlink_ext_ack *extack)
{
	int err;

	/* May wait, so before the lock that a socket's close takes. */
	err = fiber_event_start();
	if (err == -EOPNOTSUPP)
		NL_SET_ERR_MSG(extack,
			       "this kernel lacks a tracepoint for events");
	if (err)
		return err;
	mutex_lock(&subscribers_lock);
	err = may_add(request, s->owner.uid, extack);
	if (!err) {
		s->since_ns = ktime_get_boottime_ns();
		s->lost_before = fiber_events_lost();
		list_add_tail(&s->link, &subscribers);
		subscribers_n++;
	}
	mutex_unlock(&subscribers_lock);
	if (err)
		fiber_event_stop();
	return err;
}

/**
 * fiber_subscriber_del - end a socket's subscription
 * @request: whose socket
 *
 * Return: 0, or -ENOENT.
 */
int fiber_subscriber_del(const struct sk_buff *request)
{
	struct fiber_subscriber *s;

	mutex_lock(&subscribers_lock);
	s = find(request);
	if (s)
		end(s);
	mutex_unlock(&subscribers_lock);
	return s ? 0 : -ENOENT;
}

/**
 * fiber_subscriber_socket_gone - end what a closed socket had asked for
 * @net: its network namespace
 * @portid: its port
 */
void fiber_subscriber_socket_gone(const struct net *net, u32 portid)
{
	struct fiber_subscriber *s, *next;

	mutex_lock(&subscribers_lock);
	list_for_each_entry_safe(s, next, &subscribers, link)
		if (fiber_owner_gone(&s->owner, net, portid))
			end(s);
	mutex_unlock(&subscribers_lock);
}

/**
 * fiber_subscribers_now - how many there are
 */
u32 fiber_subscribers_now(void)
{
	return READ_ONCE(subscribers_n);
}

int __init fiber_subscriber_init(fiber_send_fn *send)
{
	send_event = send;
	return fiber_event_init(wake_deliver);
}

/**
 * fiber_subscriber_close - tell all that it is over, and take no more
 *
 * Before the family goes, whose number the messages carry.
 */
void fiber_subscriber_close(void)
{
	struct fiber_subscriber *s, *next;

	mutex_lock(&subscribers_lock);
	closed = true;
	list_for_each_entry_safe(s, next, &subscribers, link) {
		send_event(s, NULL, missed(s));
		end(s);
	}
	mutex_unlock(&subscribers_lock);
}

/* The probes are unhooked. */
void fiber_subscriber_exit(void)
{
	flush_work(&deliver_work);
	fiber_event_exit();
}
