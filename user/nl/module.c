// SPDX-License-Identifier: MIT
/*
 * Load and unload the module, through libkmod.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

#include <libkmod.h>

#include <fiber/nl.h>

#define MODULE "fiber"

static bool is_loaded(struct kmod_module *mod)
{
	int state = kmod_module_get_initstate(mod);

	return state == KMOD_MODULE_LIVE || state == KMOD_MODULE_COMING;
}

int fiber_mod_loaded(void)
{
	struct kmod_module *mod;
	struct kmod_ctx *ctx = kmod_new(NULL, NULL);
	int loaded = 0;

	if (!ctx)
		return -ENOMEM;
	if (!kmod_module_new_from_name(ctx, MODULE, &mod)) {
		loaded = is_loaded(mod);
		kmod_module_unref(mod);
	}
	kmod_unref(ctx);
	return loaded;
}

/* The kernel that a module file was built for; "" when it does not say. */
static void built_for(struct kmod_module *mod, char *release, size_t size)
{
	struct kmod_list *list = NULL;
	struct kmod_list *item;
	const char *value;

	release[0] = '\0';
	if (kmod_module_get_info(mod, &list) < 0)
		return;
	kmod_list_foreach(item, list)
	{
		if (strcmp(kmod_module_info_get_key(item), "vermagic"))
			continue;
		value = kmod_module_info_get_value(item);
		snprintf(release, size, "%.*s", (int)strcspn(value, " "),
			 value);
	}
	kmod_module_info_free_list(list);
}

static void say_wrong_kernel(struct kmod_module *mod, char *why, size_t size)
{
	struct utsname uts = { 0 };
	char release[128];

	uname(&uts);
	built_for(mod, release, sizeof(release));
	if (!release[0])
		snprintf(why, size, "it is not a kernel module");
	else if (strcmp(release, uts.release))
		snprintf(
			why, size,
			"it was built for kernel %s, and this is %s; build it for this one",
			release, uts.release);
	else
		snprintf(
			why, size,
			"it was built for another configuration of this kernel; build it again, and see dmesg");
}

static void say_why(struct kmod_module *mod, int err, char *why, size_t size)
{
	switch (-err) {
	case EPERM:
	case EACCES:
		snprintf(
			why, size,
			"not permitted; load it as root (CAP_SYS_MODULE), with kernel.modules_disabled=0 and no kernel lockdown");
		break;
	case EKEYREJECTED:
	case ENOKEY:
	case EBADMSG:
		snprintf(
			why, size,
			"the kernel wants a signature it trusts (Secure Boot); sign the module with a machine owner key (mokutil --import), or switch Secure Boot off");
		break;
	case ENOEXEC:
		say_wrong_kernel(mod, why, size);
		break;
	case ENOENT:
		snprintf(
			why, size,
			"the kernel lacks a symbol that it needs; the kernel is too old, or see dmesg");
		break;
	case EINVAL:
		snprintf(why, size, "the kernel refused it; see dmesg");
		break;
	default:
		snprintf(why, size, "%s", strerror(-err));
	}
}

/* The module of a file, or the installed one. */
static int find(struct kmod_ctx *ctx, const char *path,
		struct kmod_module **mod, char *why, size_t size)
{
	struct kmod_list *list = NULL;
	struct utsname uts = { 0 };
	int err;

	if (path) {
		err = kmod_module_new_from_path(ctx, path, mod);
		if (err < 0)
			snprintf(why, size, "%s", strerror(-err));
		return err;
	}
	err = kmod_module_new_from_lookup(ctx, MODULE, &list);
	if (err >= 0 && list) {
		*mod = kmod_module_get_module(list);
		kmod_module_unref_list(list);
		return 0;
	}
	uname(&uts);
	snprintf(
		why, size,
		"no module " MODULE
		" in /lib/modules/%s; install it and run depmod, or name the .ko file",
		uts.release);
	return err < 0 ? err : -ENOENT;
}

static int insert(struct kmod_module *mod, char *why, size_t size)
{
	int err;

	if (is_loaded(mod))
		return 1;
	err = kmod_module_probe_insert_module(mod, 0, NULL, NULL, NULL, NULL);
	if (err == -EEXIST)
		return 1;
	if (err < 0)
		say_why(mod, err, why, size);
	return err < 0 ? err : 0;
}

int fiber_mod_load(const char *path, char *why, size_t why_size)
{
	struct kmod_ctx *ctx = kmod_new(NULL, NULL);
	struct kmod_module *mod;
	int err;

	if (!ctx) {
		snprintf(why, why_size, "%s", fiber_nl_strerror(ENOMEM));
		return -ENOMEM;
	}
	/* What fails is told in our words. */
	kmod_set_log_priority(ctx, 0);
	err = find(ctx, path, &mod, why, why_size);
	if (!err) {
		err = insert(mod, why, why_size);
		kmod_module_unref(mod);
	}
	kmod_unref(ctx);
	return err;
}

static int remove_module(struct kmod_module *mod, char *why, size_t size)
{
	int err = is_loaded(mod) ? kmod_module_remove_module(mod, 0) : -ENODEV;

	switch (-err) {
	case 0:
		break;
	case ENOENT:
	case ENODEV:
		snprintf(why, size, "%s", fiber_nl_strerror(ENODEV));
		return -ENODEV;
	case EAGAIN:
	case EBUSY:
		snprintf(
			why, size,
			"it is in use: a program holds it, or is asking it just now");
		return -EBUSY;
	case EPERM:
		snprintf(why, size,
			 "not permitted; unload it as root (CAP_SYS_MODULE)");
		break;
	default:
		snprintf(why, size, "%s", strerror(-err));
	}
	return err;
}

int fiber_mod_unload(char *why, size_t why_size)
{
	struct kmod_ctx *ctx = kmod_new(NULL, NULL);
	struct kmod_module *mod;
	int err;

	if (!ctx) {
		snprintf(why, why_size, "%s", fiber_nl_strerror(ENOMEM));
		return -ENOMEM;
	}
	kmod_set_log_priority(ctx, 0);
	err = kmod_module_new_from_name(ctx, MODULE, &mod);
	if (err < 0) {
		snprintf(why, why_size, "%s", strerror(-err));
	} else {
		err = remove_module(mod, why, why_size);
		kmod_module_unref(mod);
	}
	kmod_unref(ctx);
	return err;
}
