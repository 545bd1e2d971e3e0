// SPDX-License-Identifier: MIT
/*
 * top on a terminal.
 *
 * Nothing is written to stderr while the screen is up: what there is to say is
 * shown in its last line, and why it ended after the end.
 */
#include <curses.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "stop.h"
#include "top.h"

#define SUMMARY_LINES 2
#define FILTER_MAX 256
/* The first frame is of the time since boot: the next one comes soon. */
#define FIRST_DELAY_NS 300000000
#define DELAY_MIN_NS 100000000
#define DELAY_MAX_NS 60000000000

struct screen {
	struct top *top;
	int stop;
	size_t first; /* row at the top */
	bool paused;
	bool help;
	bool quit;
	bool stale; /* read anew now */
	bool resort; /* select and sort anew what was read */
	unsigned int frames;
	char filter[FILTER_MAX];
	char message[WHY_SIZE]; /* shown until the next key */
};

static const char *const help_text[] = {
	"q        quit",
	"H        processes or threads",
	"< >      sort by the column to the left or right",
	"r        the other way round",
	"s        sort by columns: -cpu_pct,pid",
	"f        filter: cpu_pct > 1 && user == root; empty for none",
	"k        hide or show kernel threads",
	"+ -      longer or shorter intervals",
	"p        pause, or go on",
	"space    a frame now",
	"up down PgUp PgDn Home End   scroll",
	NULL,
};

static size_t page(void)
{
	int lines = LINES - SUMMARY_LINES - 2;

	return lines > 0 ? (size_t)lines : 0;
}

static void draw_lines(char *text, int line)
{
	char *rest = text;
	char *one;

	while ((one = strsep(&rest, "\n")) && line < LINES - 1) {
		/* The line of headers. */
		if (line == SUMMARY_LINES)
			attron(A_REVERSE);
		mvaddnstr(line++, 0, one, -1);
		attroff(A_REVERSE);
	}
}

static void draw_status(const struct screen *screen)
{
	const struct top *top = screen->top;
	const struct sort_key *key = &top->view.sorts[0];

	if (screen->message[0])
		mvprintw(LINES - 1, 0, "%s", screen->message);
	else
		mvprintw(LINES - 1, 0,
			 "%zu shown, by %s%s%s%s%s  ? help  q quit",
			 top->rows.n, key->down ? "-" : "", key->column->name,
			 screen->filter[0] ? ", filter " : "", screen->filter,
			 screen->paused ? ", paused" : "");
}

/* Only the rows that fit are formatted. */
static void draw(struct screen *screen)
{
	struct top *top = screen->top;
	struct rows rows = { 0 };
	char *text = NULL;
	size_t size;
	FILE *mem;

	if (screen->first >= top->rows.n)
		screen->first = top->rows.n ? top->rows.n - 1 : 0;
	rows.v = top->rows.v + screen->first;
	rows.n = top->rows.n - screen->first;
	if (rows.n > page())
		rows.n = page();
	mem = open_memstream(&text, &size);
	if (!mem)
		return;
	top_summary(top, mem);
	out_rows(&top->view, &rows, top_list(top), mem);
	erase();
	if (!fclose(mem))
		draw_lines(text, 0);
	free(text);
	draw_status(screen);
	refresh();
}

static void draw_help(void)
{
	int line;

	erase();
	for (line = 0; help_text[line] && line < LINES - 1; line++)
		mvaddstr(line, 2, help_text[line]);
	mvaddstr(LINES - 1, 0, "any key goes back");
	refresh();
}

/* A line of input; false when it is empty. */
static bool ask(const char *question, char *answer, int size)
{
	move(LINES - 1, 0);
	clrtoeol();
	addstr(question);
	echo();
	curs_set(1);
	timeout(-1);
	if (getnstr(answer, size - 1) == ERR)
		answer[0] = '\0';
	timeout(0);
	curs_set(0);
	noecho();
	return answer[0];
}

static void ask_sort(struct screen *screen)
{
	struct top *top = screen->top;
	char list[80];

	if (ask("sort by: ", list, sizeof(list)))
		view_set_sort(&top->view, list, top_has(top), screen->message);
	screen->resort = true;
}

/* False leaves the filter as it was; an empty one is none. */
static bool set_filter(struct screen *screen, const char *text)
{
	struct top *top = screen->top;
	struct expr *expr = NULL;

	if (*text) {
		expr = expr_parse(text, top_has(top), screen->message,
				  sizeof(screen->message));
		if (!expr)
			return false;
	}
	expr_free(top->view.filter);
	top->view.filter = expr;
	snprintf(screen->filter, sizeof(screen->filter), "%s", text);
	return true;
}

static void ask_filter(struct screen *screen)
{
	char text[FILTER_MAX];

	ask("filter: ", text, sizeof(text));
	screen->resort = set_filter(screen, text);
}

/* Sort by the column beside the one that is sorted by. */
static void move_sort(struct screen *screen, int step)
{
	struct view *view = &screen->top->view;
	struct sort_key *key = &view->sorts[0];
	size_t i = 0;

	while (i < view->n_columns && view->columns[i] != key->column)
		i++;
	if (i == view->n_columns)
		i = 0;
	else
		i = (i + view->n_columns + (size_t)step) % view->n_columns;
	key->column = view->columns[i];
	key->down = !column_is_left(key->column);
	view->n_sorts = 1;
	screen->resort = true;
}

static void toggle_threads(struct screen *screen)
{
	struct top *top = screen->top;

	if (!top_set_view(top, !top->query.threads, screen->message))
		return;
	screen->stale = true;
	/* A column of the filter may have no value in the other kind. */
	if (!set_filter(screen, screen->filter))
		set_filter(screen, "");
}

static void change_delay(struct screen *screen, bool longer)
{
	uint64_t *delay = &screen->top->delay_ns;

	if (longer && *delay * 2 <= DELAY_MAX_NS)
		*delay *= 2;
	else if (!longer && *delay / 2 >= DELAY_MIN_NS)
		*delay /= 2;
	snprintf(screen->message, sizeof(screen->message),
		 "%.2f s between frames", (double)*delay / 1e9);
}

static void scroll_by(struct screen *screen, bool down, size_t by)
{
	if (down)
		screen->first += by;
	else
		screen->first -= by < screen->first ? by : screen->first;
}

static void take_scroll(struct screen *screen, int key)
{
	switch (key) {
	case KEY_DOWN:
	case KEY_UP:
		scroll_by(screen, key == KEY_DOWN, 1);
		break;
	case KEY_NPAGE:
	case KEY_PPAGE:
		scroll_by(screen, key == KEY_NPAGE, page());
		break;
	case KEY_HOME:
		screen->first = 0;
		break;
	case KEY_END:
		screen->first = screen->top->rows.n > page() ?
					screen->top->rows.n - page() :
					0;
	}
}

static void take_key(struct screen *screen, int key)
{
	struct top *top = screen->top;

	screen->message[0] = '\0';
	if (screen->help) {
		screen->help = false;
		return;
	}
	switch (key) {
	case 'q':
		screen->quit = true;
		break;
	case 'H':
		toggle_threads(screen);
		break;
	case '<':
	case '>':
		move_sort(screen, key == '>' ? 1 : -1);
		break;
	case 'r':
		top->view.sorts[0].down = !top->view.sorts[0].down;
		screen->resort = true;
		break;
	case 's':
		ask_sort(screen);
		break;
	case 'f':
	case '/':
		ask_filter(screen);
		break;
	case 'k':
		top->hide_kernel = !top->hide_kernel;
		screen->resort = true;
		break;
	case '+':
	case '-':
		change_delay(screen, key == '+');
		break;
	case 'p':
		screen->paused = !screen->paused;
		break;
	case ' ':
		screen->stale = true;
		break;
	case '?':
	case 'h':
		screen->help = true;
		break;
	default:
		take_scroll(screen, key);
	}
}

/* Wait for a key or the time of the next frame; false: the end. */
static bool wait_and_take(struct screen *screen, uint64_t next_ns)
{
	uint64_t now = clock_ns(CLOCK_MONOTONIC);
	int64_t ns = -1;
	int key;

	if (!screen->paused)
		ns = next_ns > now ? (int64_t)(next_ns - now) : 0;
	if (stop_wait(screen->stop, STDIN_FILENO, ns) == STOP_ASKED)
		return false;
	while ((key = getch()) != ERR)
		take_key(screen, key);
	return !screen->quit && !feof(stdin);
}

/* What the keys and the time ask for. An exit status. */
static int renew(struct screen *screen, uint64_t *next_ns)
{
	struct top *top = screen->top;
	bool due = !screen->paused && clock_ns(CLOCK_MONOTONIC) >= *next_ns;
	int status = CTL_OK;

	if (screen->stale || due) {
		status = top_read(top);
		*next_ns = top->now.read_ns + top->delay_ns;
		screen->frames++;
	} else if (screen->resort) {
		status = top_select(top);
	}
	screen->stale = false;
	screen->resort = false;
	return status;
}

static int loop(struct screen *screen)
{
	const struct opts *opts = screen->top->opts;
	uint64_t next_ns = screen->top->now.read_ns + FIRST_DELAY_NS;
	int status = CTL_OK;

	while (!status) {
		if (screen->help)
			draw_help();
		else
			draw(screen);
		if (opts->frames && screen->frames > opts->frames)
			break;
		if (!wait_and_take(screen, next_ns))
			break;
		status = renew(screen, &next_ns);
	}
	return status;
}

int top_screen(struct top *top, int stop)
{
	struct screen screen = { .top = top, .stop = stop };
	SCREEN *terminal = newterm(NULL, stdout, stdin);
	int status;

	if (!terminal) {
		complain("this terminal cannot show top; use --batch");
		return CTL_REFUSED;
	}
	if (top->opts->filter)
		snprintf(screen.filter, sizeof(screen.filter), "%s",
			 top->opts->filter);
	cbreak();
	noecho();
	nonl();
	keypad(stdscr, TRUE);
	curs_set(0);
	timeout(0);
	top->session.silent = true;
	status = loop(&screen);
	endwin();
	delscreen(terminal);
	if (status)
		complain("%s", top->session.complaint);
	return status;
}
