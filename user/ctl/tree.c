// SPDX-License-Identifier: MIT
/*
 * fiberctl tree: processes, and with -H threads, under their parents.
 *
 * INVARIANTS. A parent began before its child, or at the same time with a
 * smaller number; anything else is a number that was used again while the
 * list was read, and its child becomes a root. So there are no cycles, and
 * every row is reached from a root. No step recurses: a chain of processes
 * can be as long as there are processes.
 */
#include <langinfo.h>
#include <stdlib.h>
#include <string.h>

#include "view.h"

#define COLUMNS "pid,user,state,threads,runtime,delay,rss,comm"
#define THREAD_COLUMNS "pid,tid,user,state,threads,runtime,delay,rss,comm"
/* Deeper levels are drawn like this one: lines must stay readable. */
#define DRAWN_MAX 24
/* Bytes of one level's branch, at most: three characters, one of 3 bytes. */
#define BRANCH_SIZE 8

struct node {
	struct task *task;
	struct node *parent, *child, *next;
	struct json_object *json;
	bool kept; /* passes the filter, or something under it does */
};

struct tree {
	const struct view *view;
	struct tasks tasks;
	struct node *nodes; /* in the order of the view */
	struct node **by_pid; /* the processes among them */
	size_t n, n_pids;
	struct node root; /* of no process; roots are its children */
	struct node nowhere; /* roots that nobody asked for are its */
};

static int compare_pid(const void *a, const void *b)
{
	const struct node *x = *(struct node *const *)a;
	const struct node *y = *(struct node *const *)b;

	return (x->task->pid > y->task->pid) - (x->task->pid < y->task->pid);
}

static struct node *find(const struct tree *tree, uint64_t pid)
{
	struct task task = { .pid = pid };
	struct node node = { .task = &task };
	struct node *key = &node;
	struct node **found;

	found = bsearch(&key, tree->by_pid, tree->n_pids,
			sizeof(tree->by_pid[0]), compare_pid);
	return found ? *found : NULL;
}

static bool began_before(const struct task *a, const struct task *b)
{
	if (a->start_ns != b->start_ns)
		return a->start_ns < b->start_ns;
	return a->pid < b->pid;
}

static bool is_asked(const struct tree *tree, const struct task *task)
{
	const struct opts *opts = tree->view->opts;
	size_t i;

	for (i = 0; i < opts->n_pids; i++) {
		if (opts->pids[i] == task->pid)
			return true;
	}
	return false;
}

static struct node *parent_of(struct tree *tree, const struct node *node)
{
	const struct task *task = node->task;
	struct node *parent;

	if (task->has & HAS_THREAD) {
		parent = find(tree, task->pid);
		return parent ? parent : &tree->nowhere;
	}
	if (is_asked(tree, task))
		return &tree->root;
	parent = find(tree, task->ppid);
	if (parent && began_before(parent->task, task))
		return parent;
	return tree->view->opts->n_pids ? &tree->nowhere : &tree->root;
}

/* Backwards and to the front, so that children keep the view's order. */
static void link_nodes(struct tree *tree)
{
	size_t i;

	for (i = tree->n; i-- > 0;) {
		struct node *node = &tree->nodes[i];

		node->parent = parent_of(tree, node);
		node->next = node->parent->child;
		node->parent->child = node;
	}
}

/* The rows of the view, all of them: what the filter refuses may be above. */
static int add_nodes(struct tree *tree)
{
	struct view all = *tree->view;
	struct rows rows = { 0 };
	size_t i;

	all.filter = NULL;
	if (view_select(&all, &tree->tasks, &rows))
		return CTL_REFUSED;
	tree->nodes = calloc(rows.n + 1, sizeof(tree->nodes[0]));
	tree->by_pid = calloc(rows.n + 1, sizeof(tree->by_pid[0]));
	for (i = 0; tree->nodes && tree->by_pid && i < rows.n; i++) {
		tree->nodes[i].task = rows.v[i];
		tree->n++;
		if (rows.v[i]->has & HAS_PROCESS)
			tree->by_pid[tree->n_pids++] = &tree->nodes[i];
	}
	rows_free(&rows);
	if (!tree->nodes || !tree->by_pid) {
		complain("out of memory");
		return CTL_REFUSED;
	}
	qsort(tree->by_pid, tree->n_pids, sizeof(tree->by_pid[0]), compare_pid);
	return CTL_OK;
}

/* Keep what matches, and the way to it. */
static void filter_nodes(struct tree *tree)
{
	struct node *node;
	size_t i;

	for (i = 0; i < tree->n; i++) {
		if (!expr_match(tree->view->filter, tree->nodes[i].task))
			continue;
		node = &tree->nodes[i];
		for (; node && !node->kept; node = node->parent)
			node->kept = true;
	}
}

static struct node *kept(struct node *node)
{
	while (node && !node->kept)
		node = node->next;
	return node;
}

/* The next of the kept nodes, each before its children; NULL at the end. */
static struct node *next_node(struct node *node)
{
	struct node *next = kept(node->child);

	for (; !next && node->parent; node = node->parent)
		next = kept(node->next);
	return next;
}

/* What stands before a name: a line for each ancestor that has more below. */
static char *draw(const struct node *node)
{
	static const char *const utf8[] = { "   ", "\u2502  ", "\u2514\u2500 ",
					    "\u251c\u2500 " };
	static const char *const ascii[] = { "   ", "|  ", "`- ", "|- " };
	const char *const *set = strcmp(nl_langinfo(CODESET), "UTF-8") ? ascii :
									 utf8;
	const char *branches[DRAWN_MAX];
	size_t n = 0;
	char *art;

	for (; node->task->depth && n < DRAWN_MAX; node = node->parent) {
		bool more = kept(node->next);

		branches[n] = set[n ? more : 2 + more];
		n++;
	}
	art = calloc(n + 1, BRANCH_SIZE);
	while (art && n)
		strcat(art, branches[--n]);
	return art;
}

/* The kept nodes as a list, with their depths and branches. */
static int flatten(struct tree *tree, struct rows *rows)
{
	struct node *node = &tree->root;

	rows->v = calloc(tree->n + 1, sizeof(rows->v[0]));
	if (!rows->v) {
		complain("out of memory");
		return CTL_REFUSED;
	}
	while ((node = next_node(node))) {
		struct task *task = node->task;

		task->depth =
			node->parent->task ? node->parent->task->depth + 1 : 0;
		task->has |= HAS_DEPTH;
		task->art = draw(node);
		rows->v[rows->n++] = task;
	}
	return CTL_OK;
}

static void add_json(struct json_object *parent, const char *list,
		     struct json_object *object)
{
	struct json_object *array;

	if (!json_object_object_get_ex(parent, list, &array)) {
		array = json_object_new_array();
		json_object_object_add(parent, list, array);
	}
	json_object_array_add(array, object);
}

static void print_json(struct tree *tree)
{
	struct node *node = &tree->root;

	tree->root.json = json_object_new_object();
	json_object_object_add(tree->root.json, "processes",
			       json_object_new_array());
	while ((node = next_node(node))) {
		const char *list = "children";

		if (node->task->has & HAS_THREAD)
			list = "threads";
		else if (node->parent == &tree->root)
			list = "processes";
		node->json = out_json_task(tree->view, node->task);
		add_json(node->parent->json, list, node->json);
	}
	out_json(tree->root.json, stdout);
}

/* @missing: some that were asked for are not there, and maybe none is. */
static int print(struct tree *tree, bool missing)
{
	struct rows rows = { 0 };
	size_t i;
	int status = flatten(tree, &rows);

	if (status)
		return status;
	if (tree->view->opts->json)
		print_json(tree);
	else if (rows.n || !missing)
		out_rows(tree->view, &rows, "processes", stdout);
	for (i = 0; i < rows.n; i++)
		free((void *)(uintptr_t)rows.v[i]->art);
	rows_free(&rows);
	return CTL_OK;
}

/* Whether every process that was asked for is there. */
static int check_pids(const struct tree *tree)
{
	const struct opts *opts = tree->view->opts;
	int status = CTL_OK;
	size_t i;

	for (i = 0; i < opts->n_pids; i++) {
		if (find(tree, opts->pids[i]))
			continue;
		complain("process %u: %s", opts->pids[i],
			 "no such process, or not yours to see");
		status = CTL_REFUSED;
	}
	return status;
}

static int grow(struct tree *tree)
{
	int status = add_nodes(tree);
	int missing;

	if (status)
		return status;
	missing = check_pids(tree);
	link_nodes(tree);
	filter_nodes(tree);
	status = print(tree, missing);
	return status ? status : missing;
}

/* A leader is its process: its row would say nothing new. */
static void drop_leaders(struct tasks *tasks)
{
	size_t n = 0;
	size_t i;

	for (i = 0; i < tasks->n; i++) {
		if (tasks->v[i].has & HAS_THREAD &&
		    tasks->v[i].flags & FIBER_NL_THREAD_LEADER)
			free(tasks->v[i].cpus);
		else
			tasks->v[n++] = tasks->v[i];
	}
	tasks->n = n;
}

static int read_tree(struct tree *tree)
{
	struct query query = { .append = true };
	struct session session;
	int status = session_open(&session);

	if (status)
		return status;
	status = tasks_read(&session, &query, &tree->tasks);
	if (!status && tree->view->opts->threads) {
		query.threads = true;
		query.filter.want = view_want(tree->view);
		status = tasks_read(&session, &query, &tree->tasks);
		drop_leaders(&tree->tasks);
	}
	if (!status)
		status = grow(tree);
	session_close(&session);
	return status;
}

static int run(const struct opts *opts, const struct command *cmd)
{
	unsigned int has = VIEW_PROCESSES | HAS_DEPTH;
	const char *columns = COLUMNS;
	struct tree tree = { 0 };
	struct view view;
	int status;

	if (opts->threads) {
		has |= VIEW_THREADS;
		columns = THREAD_COLUMNS;
	}
	if (opts->tab)
		columns = opts->threads ? "depth," THREAD_COLUMNS :
					  "depth," COLUMNS;
	status = view_init(&view, opts, cmd, has, columns, NULL);
	tree.view = &view;
	if (status == OPTS_GO_ON)
		status = read_tree(&tree);
	tasks_free(&tree.tasks);
	free(tree.nodes);
	free(tree.by_pid);
	view_free(&view);
	return status;
}

int cmd_tree(const struct command *cmd, int argc, char **argv)
{
	return opts_run(cmd, argc, argv, run);
}
