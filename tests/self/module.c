// SPDX-License-Identifier: MIT
/* Loads and unloads the module; the contract is in module.h. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>
#include "module.h"

const char *module_file(void)
{
	static char path[256];
	const char *given = getenv("FIBER_MODULE");
	struct utsname kernel;

	uname(&kernel);
	snprintf(path, sizeof(path), "/lib/modules/%s/extra/fiber.ko",
		 kernel.release);
	if (given)
		snprintf(path, sizeof(path), "%s", given);
	return access(path, R_OK) ? NULL : path;
}

int module_load(void)
{
	const char *path = module_file();
	int fd, err;

	if (!path)
		return -ENOENT;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	err = syscall(SYS_finit_module, fd, "", 0) ? -errno : 0;
	close(fd);
	return err;
}

int module_unload(void)
{
	return syscall(SYS_delete_module, "fiber", O_NONBLOCK) ? -errno : 0;
}

bool module_loaded(void)
{
	return !access("/sys/module/fiber", F_OK);
}
