// SPDX-License-Identifier: MIT
/*
 * The VM's init: sets the guest up, loads the module, runs one command, says how it went.
 *
 * Three channels leave the guest. ttyS0 is the kernel's console. ttyS1 (and ttyS2, when the host
 * keeps standard error apart) are the command's, raw, so that its bytes arrive as they are. The
 * verdict goes byte by byte to I/O port 0xe9, which needs no driver and so works when all else is
 * broken. It is lines of "word text"; only with the last, "end", is it whole: a VM that died, hung
 * or lost power has given no verdict.
 *
 *   load N      `fiberctl load` ended with N, nothing was run
 *   report TEXT the kernel reported a bug, or the module did not unload
 *   timeout     the command's time was over
 *   exit N      how the command ended, as a shell says it
 *
 * The host says what to do by kernel parameters, which arrive as environment: FIBER_LOAD=1 to load
 * the module, FIBER_LIMIT=seconds since boot, FIBER_STDERR=ttyS2, FIBER_TTY=1 for a terminal of FIBER_ROWS x
 * FIBER_COLUMNS.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/io.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "guest.h"

#define VERDICT_PORT 0xe9
#define TAINT_OOT_MODULE (1 << 12)

static struct klog klog;

static void verdict(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
static void verdict(const char *fmt, ...)
{
	char line[2 * REPORT_SIZE];
	va_list args;

	va_start(args, fmt);
	vsnprintf(line, sizeof(line) - 1, fmt, args);
	va_end(args);
	strcat(line, "\n");
	for (char *c = line; *c; c++)
		outb(*c, VERDICT_PORT);
}

static void power_off(void)
{
	verdict("end");
	sync();
	reboot(RB_POWER_OFF);
	for (;;)
		pause();
}

/* ---- the guest's world ---- */

static const struct {
	const char *type, *dir, *options;
} mounts[] = {
	{ "proc", "/proc", NULL },
	{ "sysfs", "/sys", NULL },
	{ "devtmpfs", "/dev", NULL },
	{ "devpts", "/dev/pts", "mode=620,ptmxmode=666" },
	{ "tmpfs", "/dev/shm", "mode=1777" },
	{ "tmpfs", "/tmp", "mode=1777" },
	{ "tmpfs", "/run", "mode=755" },
	{ "cgroup2", "/sys/fs/cgroup", NULL },
	{ "debugfs", "/sys/kernel/debug", NULL },
	{ "tracefs", "/sys/kernel/tracing", NULL },
};

static void mount_all(void)
{
	for (size_t i = 0; i < sizeof(mounts) / sizeof(mounts[0]); i++) {
		mkdir(mounts[i].dir, 0755);
		if (mount(mounts[i].type, mounts[i].dir, mounts[i].type, 0,
			  mounts[i].options))
			klog_mark("init: no %s: %s", mounts[i].dir,
				  strerror(errno));
	}
}

static void loopback_up(void)
{
	struct ifreq lo = { .ifr_name = "lo",
			    .ifr_flags = IFF_UP | IFF_RUNNING };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || ioctl(fd, SIOCSIFFLAGS, &lo))
		klog_mark("init: loopback stays down: %s", strerror(errno));
	close(fd);
}

static void set_environment(void)
{
	setenv("PATH",
	       "/fiber/bin:/fiber/self:/fiber/bench:/fiber/vm:"
	       "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
	       1);
	setenv("LD_LIBRARY_PATH", "/fiber/lib", 1);
	setenv("HOME", "/root", 1);
	setenv("LANG", "C.UTF-8", 1);
	unsetenv("BOOT_IMAGE");
}

/* The host's terminal, if there is one, is raw, and so the guest's does what a terminal does. */
static void set_up_line(int fd, bool terminal)
{
	struct termios line;

	if (tcgetattr(fd, &line))
		return;
	if (!terminal)
		cfmakeraw(&line);
	line.c_cflag |= CLOCAL;
	cfsetspeed(&line, B115200);
	tcsetattr(fd, TCSANOW, &line);
}

static int open_line(const char *name, bool terminal)
{
	char path[32];
	int fd;

	snprintf(path, sizeof(path), "/dev/%s", name);
	fd = open(path, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (fd >= 0)
		set_up_line(fd, terminal);
	return fd;
}

/* A serial line does not carry the size of the terminal behind it. */
static void set_window(int fd)
{
	const char *rows = getenv("FIBER_ROWS"),
		   *columns = getenv("FIBER_COLUMNS");
	struct winsize window = {
		.ws_row = rows ? atoi(rows) : 24,
		.ws_col = columns ? atoi(columns) : 80,
	};

	ioctl(fd, TIOCSWINSZ, &window);
}

static void open_stdio(void)
{
	const char *err = getenv("FIBER_STDERR");
	bool terminal = getenv("FIBER_TTY");
	int in, out;

	out = open_line("ttyS1", terminal);
	set_window(out);
	in = terminal ? out : open("/fiber/run/stdin", O_RDONLY | O_CLOEXEC);
	if (in < 0)
		in = open("/dev/null", O_RDONLY | O_CLOEXEC);
	dup2(in, 0);
	dup2(out, 1);
	dup2(err ? open_line(err, false) : out, 2);
}

/* ---- the command ---- */

static void exec_child(char *const argv[])
{
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	setsid();
	if (getenv("FIBER_TTY"))
		ioctl(0, TIOCSCTTY, 1);
	unsetenv("FIBER_TTY");
	execvp(argv[0], argv);
	fprintf(stderr, "init: %s: %s\n", argv[0], strerror(errno));
	_exit(127);
}

static pid_t spawn(char *const argv[])
{
	pid_t pid = fork();

	if (!pid)
		exec_child(argv);
	return pid;
}

static int shell_status(int status)
{
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static void drain_klog(void)
{
	char report[REPORT_SIZE];

	while (klog_report(&klog, report))
		verdict("report %s", report);
}

/* Reaps the dead; true when `pid` is among them. */
static bool reap(pid_t pid, int *status)
{
	bool ended = false;
	int how;
	pid_t dead;

	while ((dead = waitpid(-1, &how, WNOHANG)) > 0) {
		if (dead == pid) {
			*status = shell_status(how);
			ended = true;
		}
	}
	return ended;
}

static int ms_left(void)
{
	const char *limit = getenv("FIBER_LIMIT");
	struct timespec now;
	long left;

	if (!limit)
		return -1;
	clock_gettime(CLOCK_BOOTTIME, &now);
	left = atol(limit) * 1000 - now.tv_sec * 1000 - now.tv_nsec / 1000000;
	return left > 0 ? left : 0;
}

/* Where each thread of a process that is no kernel thread sleeps. */
static void tell_threads(const char *pid)
{
	char path[64], name[64], stack[800];
	struct dirent *thread;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%.10s/cmdline", pid);
	if (file_read(path, name, sizeof(name)) || !name[0])
		return;
	snprintf(path, sizeof(path), "/proc/%.10s/task", pid);
	dir = opendir(path);
	while (dir && (thread = readdir(dir))) {
		if (!atoi(thread->d_name))
			continue;
		snprintf(path, sizeof(path), "/proc/%.10s/task/%.10s/stack",
			 pid, thread->d_name);
		if (!file_read(path, stack, sizeof(stack)))
			klog_mark("init: %s thread %s:\n%s", name,
				  thread->d_name, stack);
	}
	if (dir)
		closedir(dir);
}

/* The console then shows what each CPU does, and who sleeps where. */
static void tell_hang(void)
{
	struct dirent *entry;
	DIR *dir = opendir("/proc");

	verdict("timeout");
	klog_mark("init: the time is over: what runs, who waits where");
	file_write("/proc/sysrq-trigger", "l");
	file_write("/proc/sysrq-trigger", "w");
	while (dir && (entry = readdir(dir))) {
		if (atoi(entry->d_name) > 1)
			tell_threads(entry->d_name);
	}
}

/* Runs a program to its end, reading the kernel log meanwhile; -1 when its time was over. */
static int run(int signals, char *const argv[])
{
	struct pollfd fds[] = {
		{ .fd = signals, .events = POLLIN },
		{ .fd = klog.fd, .events = POLLIN },
	};
	struct signalfd_siginfo info;
	pid_t pid = spawn(argv);
	int status = -1;

	if (pid < 0)
		return 127;
	for (;;) {
		int left = ms_left();
		int ready = left ? poll(fds, 2, left) : 0;

		if (!ready) {
			tell_hang();
			return -1;
		}
		drain_klog();
		if (ready > 0 && fds[0].revents &&
		    read(signals, &info, sizeof(info)) > 0 &&
		    reap(pid, &status))
			return status;
	}
}

/* ---- the end ---- */

static void kill_all(void)
{
	kill(-1, SIGKILL);
	while (waitpid(-1, NULL, 0) > 0 || errno == EINTR)
		;
}

static void tell_leak(const char *line)
{
	if (!strncmp(line, "unreferenced object", 19))
		verdict("report kmemleak: %s", line);
	klog_mark("leak: %s", line);
}

/* A checker that has switched itself off finds nothing more, and says so only once. */
static void check_lockdep(void)
{
	static char stats[8192];
	char *locks;

	if (file_read("/proc/lockdep_stats", stats, sizeof(stats)))
		return;
	locks = strstr(stats, "debug_locks:");
	if (locks && atoi(locks + strlen("debug_locks:")) != 1)
		verdict("report lockdep has switched itself off");
}

/* Whether a module that is not the kernel's own has been in it; the loader remembers. */
static bool module_was_here(void)
{
	char tainted[32];

	return !file_read("/proc/sys/kernel/tainted", tainted,
			  sizeof(tainted)) &&
	       (atol(tainted) & TAINT_OOT_MODULE);
}

/* The command is over, and whatever it left: nothing of ours may stay in the kernel. */
static void clean_up(void)
{
	bool loaded = !access("/sys/module/fiber", F_OK);
	int err;

	tcdrain(1);
	tcdrain(2);
	kill_all();
	err = module_unload("fiber");
	if (err)
		verdict("report module fiber does not unload: %s",
			strerror(-err));
	if (loaded || (module_was_here() && access(LEAKS_SCANNED, F_OK)))
		leaks_scan(tell_leak);
	check_lockdep();
	drain_klog();
}

int main(void)
{
	char *load[] = { "fiberctl", "load", NULL };
	char *command[] = { "sh", "/fiber/run/command", NULL };
	char *shell[] = { "sh", "-l", NULL };
	sigset_t chld;
	int signals, status;

	ioperm(VERDICT_PORT, 1, 1);
	mount_all();
	loopback_up();
	sethostname("fiber-vm", 8);
	set_environment();
	sigemptyset(&chld);
	sigaddset(&chld, SIGCHLD);
	sigprocmask(SIG_BLOCK, &chld, NULL);
	signals = signalfd(-1, &chld, SFD_CLOEXEC);
	open_stdio();
	file_write("/proc/sys/kernel/printk", "8");
	if (chdir("/root") || klog_open(&klog) || signals < 0) {
		verdict("report init cannot start: %s", strerror(errno));
		power_off();
	}

	if (getenv("FIBER_LOAD")) {
		status = run(signals, load);
		if (status) {
			verdict("load %d", status);
			clean_up();
			power_off();
		}
	}
	status = run(signals, access(command[1], R_OK) ? shell : command);
	if (status >= 0) {
		clean_up();
		verdict("exit %d", status);
	}
	power_off();
}
