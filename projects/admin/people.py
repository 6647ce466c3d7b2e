"""Accounts, projects, the people in them and their roles."""

from __future__ import annotations

from typing import Any, ClassVar
from uuid import UUID

from django import forms
from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.forms import AdminUserCreationForm
from django.db.models import Model, QuerySet
from django.http import HttpRequest

from projects.admin import cells
from projects.admin.scoped import ProjectScoped, VisibleFilter
from projects.models import Account, Membership, Project, Role, User
from projects.roles import Right, reach


class ForWhoRunsTheInstallation(ProjectScoped):
    """Members see these; who runs the installation makes and changes them."""

    right = None

    def may_change(self, request: HttpRequest, row: Model | None = None) -> bool:
        """Superusers alone."""
        return reach(request).is_unlimited


@admin.register(Account)
class AccountAdmin(ForWhoRunsTheInstallation):
    """The customers whose projects the caller sees."""

    project_path = "projects"
    list_display = ["name", "manager_name", "manager_email", "created_at"]
    search_fields = ["name"]
    fields = ["name", "manager_name", "manager_email"]

    def rows(self, request: HttpRequest, right: Right | None = None) -> QuerySet[Account]:
        """Once each, however many projects an account has."""
        return super().rows(request, right).distinct()

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """An account is seen with any of its projects: `rows` has found it."""
        return True


@admin.register(Project)
class ProjectAdmin(ProjectScoped):
    """The caller's projects."""

    project_path = "pk"
    right = Right.PEOPLE
    list_display = ["name", "account", "demands_four_eyes", "created_at", "id"]
    list_select_related = ["account"]
    search_fields = ["name"]
    fields = ["project_id", "account", "name", "demands_four_eyes", "created_at"]

    def get_readonly_fields(self, request: HttpRequest, obj: Project | None = None) -> list[str]:
        """A project keeps its id, and for its members its account."""
        return ["project_id", "created_at", *([] if reach(request).is_unlimited else ["account"])]

    @admin.display(description="Project id")
    def project_id(self, project: Project) -> Any:
        """Once there is one."""
        return "made when it is saved" if project._state.adding else cells.code(str(project.pk))

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Whoever runs the installation opens projects."""
        return reach(request).is_unlimited

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whoever runs the installation closes them, once they are empty."""
        return reach(request).is_unlimited


class MembershipForm(forms.ModelForm):
    """The person is named, not picked: a list would show people of other projects."""

    username = forms.CharField(
        max_length=150, help_text="The person's user name. They log in here once they are a member."
    )

    class Meta:
        model = Membership
        fields = ["project", "role"]

    def clean_username(self) -> str:
        """The person of this name, who becomes the member."""
        username: str = self.cleaned_data["username"]
        person = User.objects.filter(username=username, is_active=True).first()
        if person is None:
            raise forms.ValidationError("There is nobody with this user name.")
        self.instance.user = person
        return username

    def clean(self) -> dict[str, Any] | None:
        """Speak at the form: the constraint names the person, whom the form has by another name."""
        cleaned = super().clean()
        if {"username", "project"} <= self.cleaned_data.keys():
            self.instance.project = self.cleaned_data["project"]
            self.instance.validate_constraints(exclude={"role"})
        return cleaned


@admin.register(Membership)
class MembershipAdmin(ProjectScoped):
    """Who may do what in which project."""

    right = Right.PEOPLE
    list_display = ["user", "project", "role"]
    list_select_related = ["user", "project"]
    list_filter = [("project", VisibleFilter), "role"]
    search_fields = ["user__username", "user__email", "user__first_name", "user__last_name"]

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **options: Any) -> Any:
        """A new member is named; of a present one the role can be changed."""
        return super().get_form(
            request, obj, change, **options | ({} if change else {"form": MembershipForm})
        )

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return ["project", "user", "role"] if obj else ["project", "username", "role"]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return ["project", "user"] if obj else []

    def save_model(self, request: HttpRequest, obj: Membership, form: Any, change: bool) -> None:
        """Members use the portal, so they may log in to it."""
        super().save_model(request, obj, form, change)
        User.objects.filter(pk=obj.user_id, is_staff=False).update(is_staff=True)


class PersonForm(AdminUserCreationForm):
    """A new person, and where they are a member from the start."""

    project = forms.ModelChoiceField(queryset=Project.objects.none())
    role = forms.ChoiceField(choices=Role.choices, initial=Role.VIEWER)


@admin.register(User)
class PersonAdmin(ProjectScoped, UserAdmin):
    """People of the caller's projects. A person of several projects is changed by who administers them all."""

    project_path = "memberships__project"
    right = Right.PEOPLE
    add_form = PersonForm
    filter_horizontal = ()
    list_display = ["username", "first_name", "last_name", "email", "is_active", "is_superuser", "last_login"]
    list_filter: ClassVar[list[Any]] = ["is_active"]
    ordering = ["username"]
    add_fieldsets = (
        (None, {"fields": ("username", "email", "usable_password", "password1", "password2")}),
        ("Membership", {"fields": ("project", "role")}),
    )

    def rows(self, request: HttpRequest, right: Right | None = None) -> QuerySet[User]:
        """Once each, however many projects they share with the caller."""
        return super().rows(request, right).distinct()

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """What runs the installation is for those who do."""
        if obj is None:
            return self.add_fieldsets
        # The password's field holds the way to set another: only for who may go it.
        login = ("username", "password") if self.may_change(request, obj) else ("username",)
        flags = ("is_active", "is_superuser") if reach(request).is_unlimited else ("is_active",)
        return (
            (None, {"fields": login}),
            ("Person", {"fields": ("first_name", "last_name", "email")}),
            ("Access", {"fields": flags}),
        )

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **options: Any) -> Any:
        """New people join a project that the caller administers."""
        form = super().get_form(request, obj, change=change, **options)
        if "project" in form.base_fields:
            projects: Any = form.base_fields["project"]
            projects.queryset = reach(request).projects(Right.PEOPLE)
        return form

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        """People use the portal; a new one is a member at once."""
        obj.is_staff = True
        super().save_model(request, obj, form, change)
        if not change:
            Membership.objects.create(
                user=obj, project=form.cleaned_data["project"], role=form.cleaned_data["role"]
            )

    def project_of(self, row: Model) -> UUID:
        raise TypeError("A person may be in several projects.")

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """A person is seen with any shared project: `rows` has found them."""
        return True

    def may_change(self, request: HttpRequest, row: Model | None = None) -> bool:
        """Nobody rises above themselves: all the person's projects are the caller's to administer."""
        reached = reach(request)
        if row is None or reached.is_unlimited:
            return reached.may(Right.PEOPLE)
        if not isinstance(row, User) or row.is_superuser:
            return False
        theirs = row.memberships.values_list("project_id", flat=True)
        return all(reached.may(Right.PEOPLE, project_id) for project_id in theirs)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """People are deactivated: history names them."""
        return False
