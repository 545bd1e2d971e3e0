// SPDX-License-Identifier: MIT
/*
 * Filter expressions.
 *
 *   expr    = and { "||" and }
 *   and     = term { "&&" term }
 *   term    = "!" term | "(" expr ")" | COLUMN OP VALUE
 *   OP      = "==" | "=" | "!=" | "<" | "<=" | ">" | ">=" | "~" | "!~"
 *
 * A number may have a unit: ns us ms s m h for times, K M G T for bytes (1024)
 * and for counts (1000). ~ asks whether a text contains the value. A comparison
 * with a row that has no such value is false, whatever the operator.
 */
#include <ctype.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "expr.h"
#include "fmt.h"

/* More than anybody types; it also bounds the parser's recursion. */
#define NODES_MAX 128

enum op {
	OP_AND,
	OP_OR,
	OP_NOT,
	OP_EQ,
	OP_NE,
	OP_LE,
	OP_LT,
	OP_GE,
	OP_GT,
	OP_HAS,
	OP_HAS_NOT,
};

struct node {
	enum op op;
	const struct node *left, *right; /* of and, or; left of not */
	const struct column *column; /* of a comparison */
	long double number;
	char *text;
};

struct expr {
	const struct node *root;
	size_t n;
	struct node nodes[NODES_MAX];
};

struct parser {
	struct expr *expr;
	const char *at;
	unsigned int has;
	unsigned int depth;
	char *why;
	size_t why_size;
};

static struct node *fail(struct parser *p, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static struct node *fail(struct parser *p, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(p->why, p->why_size, format, args);
	va_end(args);
	return NULL;
}

static void skip_space(struct parser *p)
{
	while (isspace((unsigned char)*p->at))
		p->at++;
}

static bool accept(struct parser *p, const char *token)
{
	size_t len = strlen(token);

	skip_space(p);
	if (strncmp(p->at, token, len))
		return false;
	p->at += len;
	return true;
}

static struct node *add_node(struct parser *p, enum op op)
{
	struct node *node;

	if (p->expr->n == NODES_MAX)
		return fail(p, "the filter is too long");
	node = &p->expr->nodes[p->expr->n++];
	node->op = op;
	return node;
}

static const struct column *parse_column(struct parser *p)
{
	const struct column *column;
	const char *start;
	size_t len;

	skip_space(p);
	start = p->at;
	while (isalnum((unsigned char)*p->at) || *p->at == '_')
		p->at++;
	len = (size_t)(p->at - start);
	if (!len) {
		fail(p, "a column is missing at '%.20s'", start);
		return NULL;
	}
	column = column_find(start, len);
	if (!column)
		fail(p, "no such column '%.*s'; -o help lists them", (int)len,
		     start);
	else if (!(column->has & p->has))
		fail(p, "column '%s' has no value here", column->name);
	else
		return column;
	return NULL;
}

static bool parse_op(struct parser *p, enum op *op)
{
	static const struct {
		const char *token;
		enum op op;
	} ops[] = {
		{ "==", OP_EQ }, { "=", OP_EQ },  { "!=", OP_NE },
		{ "<=", OP_LE }, { "<", OP_LT },  { ">=", OP_GE },
		{ ">", OP_GT },	 { "~", OP_HAS }, { "!~", OP_HAS_NOT },
	};
	size_t i;

	for (i = 0; i < sizeof(ops) / sizeof(ops[0]); i++) {
		if (accept(p, ops[i].token)) {
			*op = ops[i].op;
			return true;
		}
	}
	fail(p, "an operator is missing at '%.20s'", p->at);
	return false;
}

/* The value as it is written, without its quotes; NULL when there is none. */
static char *parse_word(struct parser *p)
{
	const char *start;
	char quote = 0;
	char *word;
	size_t len;

	skip_space(p);
	if (*p->at == '"' || *p->at == '\'')
		quote = *p->at++;
	start = p->at;
	len = quote ? strcspn(start, (char[]){ quote, '\0' }) :
		      strcspn(start, " \t\n&|()!<>=~\"'");
	p->at += len;
	if (quote && *p->at != quote) {
		fail(p, "a quote is not closed");
		return NULL;
	}
	p->at += quote != 0;
	if (!len && !quote) {
		fail(p, "a value is missing at '%.20s'", start);
		return NULL;
	}
	word = strndup(start, len);
	if (!word)
		fail(p, "out of memory");
	return word;
}

struct unit {
	const char *name;
	long double scale;
};

/* What a number's unit multiplies it with; 0 for no such unit. */
static long double unit_scale(enum column_type type, const char *name)
{
	static const struct unit times[] = {
		{ "", 1 },    { "ns", 1 },   { "us", 1e3 },   { "ms", 1e6 },
		{ "s", 1e9 }, { "m", 60e9 }, { "h", 3600e9 }, { 0 },
	};
	static const struct unit sizes[] = {
		{ "", 1 },	 { "K", 0x1p10 }, { "M", 0x1p20 },
		{ "G", 0x1p30 }, { "T", 0x1p40 }, { 0 },
	};
	static const struct unit counts[] = {
		{ "", 1 }, { "K", 1e3 }, { "M", 1e6 }, { "G", 1e9 }, { 0 },
	};
	static const struct unit percents[] = { { "", 1 }, { "%", 1 }, { 0 } };
	static const struct unit none[] = { { "", 1 }, { 0 } };
	const struct unit *unit = none;

	if (type == COL_NS || type == COL_CLOCK)
		unit = times;
	else if (type == COL_BYTES)
		unit = sizes;
	else if (type == COL_COUNT || type == COL_RATE)
		unit = counts;
	else if (type == COL_PERCENT)
		unit = percents;
	for (; unit->name; unit++) {
		if (!strcmp(unit->name, name))
			return unit->scale;
	}
	return 0;
}

static bool set_number(struct parser *p, struct node *node)
{
	const char *first = node->text + (node->text[0] == '-');
	long double scale;
	char *end;

	if (node->op == OP_HAS || node->op == OP_HAS_NOT) {
		fail(p, "~ is for texts, and column '%s' has numbers",
		     node->column->name);
		return false;
	}
	node->number = strtold(node->text, &end);
	scale = unit_scale(node->column->type, end);
	/* strtold() would also take "inf", "nan" and 0x1p3. */
	if (!isdigit((unsigned char)*first) || scale == 0) {
		fail(p, "'%s' is not a value of column '%s'", node->text,
		     node->column->name);
		return false;
	}
	node->number *= scale;
	return true;
}

static bool check_text(struct parser *p, struct node *node)
{
	if (node->op >= OP_LE && node->op <= OP_GT) {
		fail(p, "column '%s' is a text: compare with == != ~ !~",
		     node->column->name);
		return false;
	}
	return true;
}

static struct node *parse_comparison(struct parser *p)
{
	const struct column *column = parse_column(p);
	struct node *node;
	enum op op;

	if (!column || !parse_op(p, &op))
		return NULL;
	node = add_node(p, op);
	if (!node)
		return NULL;
	node->column = column;
	node->text = parse_word(p);
	if (!node->text)
		return NULL;
	if (column->type == COL_TEXT ? !check_text(p, node) :
				       !set_number(p, node))
		return NULL;
	return node;
}

static struct node *parse_or(struct parser *p);

static struct node *parse_term(struct parser *p)
{
	struct node *node;

	if (++p->depth > NODES_MAX)
		return fail(p, "the filter is too deep");
	if (accept(p, "!")) {
		node = add_node(p, OP_NOT);
		if (node)
			node->left = parse_term(p);
		return node && node->left ? node : NULL;
	}
	if (!accept(p, "("))
		return parse_comparison(p);
	node = parse_or(p);
	if (node && !accept(p, ")"))
		return fail(p, "a ) is missing at '%.20s'", p->at);
	return node;
}

static struct node *join(struct parser *p, enum op op, struct node *left,
			 struct node *right)
{
	struct node *node = right ? add_node(p, op) : NULL;

	if (node) {
		node->left = left;
		node->right = right;
	}
	return node;
}

static struct node *parse_and(struct parser *p)
{
	struct node *node = parse_term(p);

	while (node && accept(p, "&&"))
		node = join(p, OP_AND, node, parse_term(p));
	return node;
}

static struct node *parse_or(struct parser *p)
{
	struct node *node = parse_and(p);

	while (node && accept(p, "||"))
		node = join(p, OP_OR, node, parse_and(p));
	return node;
}

/* Columns must have a value in some row with @has. NULL: @why says why. */
struct expr *expr_parse(const char *text, unsigned int has, char *why,
			size_t why_size)
{
	struct parser p = {
		.at = text, .has = has, .why = why, .why_size = why_size
	};

	p.expr = calloc(1, sizeof(*p.expr));
	if (!p.expr) {
		fail(&p, "out of memory");
		return NULL;
	}
	p.expr->root = parse_or(&p);
	skip_space(&p);
	if (p.expr->root && *p.at) {
		fail(&p, "&& or || is missing at '%.20s'", p.at);
		p.expr->root = NULL;
	}
	if (!p.expr->root) {
		expr_free(p.expr);
		return NULL;
	}
	return p.expr;
}

void expr_free(struct expr *expr)
{
	size_t i;

	for (i = 0; expr && i < expr->n; i++)
		free(expr->nodes[i].text);
	free(expr);
}

static bool match_text(const struct node *node, const char *text)
{
	switch (node->op) {
	case OP_EQ:
		return !strcmp(text, node->text);
	case OP_NE:
		return strcmp(text, node->text);
	case OP_HAS:
		return strstr(text, node->text);
	default:
		return !strstr(text, node->text);
	}
}

static bool match_number(const struct node *node, long double number)
{
	switch (node->op) {
	case OP_EQ:
		return number == node->number;
	case OP_NE:
		return number != node->number;
	case OP_LE:
		return number <= node->number;
	case OP_LT:
		return number < node->number;
	case OP_GE:
		return number >= node->number;
	default:
		return number > node->number;
	}
}

static bool match_comparison(const struct node *node, const struct task *task)
{
	char scratch[FMT_SIZE];
	struct value value = column_value(node->column, task, scratch);

	switch (value.type) {
	case VALUE_TEXT:
		return match_text(node, value.text);
	case VALUE_U64:
		return match_number(node, value.u64);
	case VALUE_I64:
		return match_number(node, value.i64);
	case VALUE_DOUBLE:
		return match_number(node, value.real);
	default:
		return false;
	}
}

static bool match_node(const struct node *node, const struct task *task)
{
	switch (node->op) {
	case OP_AND:
		return match_node(node->left, task) &&
		       match_node(node->right, task);
	case OP_OR:
		return match_node(node->left, task) ||
		       match_node(node->right, task);
	case OP_NOT:
		return !match_node(node->left, task);
	default:
		return match_comparison(node, task);
	}
}

/* No expression lets everything pass. */
bool expr_match(const struct expr *expr, const struct task *task)
{
	return !expr || match_node(expr->root, task);
}

/* What threads must be asked for so that the filter has its values. */
unsigned int expr_want(const struct expr *expr)
{
	unsigned int want = 0;
	size_t i;

	for (i = 0; expr && i < expr->n; i++) {
		if (expr->nodes[i].column)
			want |= column_want(expr->nodes[i].column);
	}
	return want;
}

static void push_state(const struct node *node, struct fiber_nl_filter *filter)
{
	const char *letter = node->text[0] && !node->text[1] ?
				     strchr(state_letters, node->text[0]) :
				     NULL;
	uint32_t all = (1u << FIBER_NL_STATES) - 1;
	uint32_t bit;

	if (!letter || filter->states)
		return;
	bit = 1u << (letter - state_letters);
	filter->states = node->op == OP_EQ ? bit : all & ~bit;
}

static void push_uid(uint32_t uid, struct fiber_nl_filter *filter)
{
	if (filter->has_uid)
		return;
	filter->has_uid = true;
	filter->uid = uid;
}

static void push_text(const struct node *node, struct fiber_nl_filter *filter)
{
	const char *name = node->column->name;
	struct passwd *pw;

	if (!strcmp(name, "state") && node->op <= OP_NE) {
		push_state(node, filter);
	} else if (node->op != OP_EQ) {
		return;
	} else if (!strcmp(name, "user")) {
		pw = getpwnam(node->text);
		if (pw)
			push_uid(pw->pw_uid, filter);
	} else if (!strcmp(name, "kind") && !filter->kinds) {
		if (!strcmp(node->text, "user"))
			filter->kinds = FIBER_NL_KIND_USER;
		else if (!strcmp(node->text, "kernel"))
			filter->kinds = FIBER_NL_KIND_KERNEL;
	}
}

static void push_number(const struct node *node, struct fiber_nl_filter *filter)
{
	uint32_t number;

	if (node->op != OP_EQ || node->number < 0 ||
	    node->number > UINT32_MAX - 1)
		return;
	number = (uint32_t)node->number;
	if (number != node->number)
		return;
	if (!strcmp(node->column->name, "pid") && !filter->pid)
		filter->pid = number;
	else if (!strcmp(node->column->name, "uid"))
		push_uid(number, filter);
}

static void push_node(const struct node *node, struct fiber_nl_filter *filter)
{
	if (node->op == OP_AND) {
		push_node(node->left, filter);
		push_node(node->right, filter);
	} else if (node->column && node->column->type == COL_TEXT) {
		push_text(node, filter);
	} else if (node->column) {
		push_number(node, filter);
	}
}

/*
 * Let the kernel leave out what cannot match. Only what must hold in any case
 * is pushed, and rows are matched again, so it need not be complete.
 */
void expr_push(const struct expr *expr, struct fiber_nl_filter *filter)
{
	if (expr)
		push_node(expr->root, filter);
}
