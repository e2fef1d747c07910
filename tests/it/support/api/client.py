"""Calls the admin API by gRPC, with stubs made of its file alone, and the same by HTTP.

client.py ADDRESS TOKEN PROTO_FOLDER STUBS_FOLDER
"""

import json
import os
import sys
import urllib.request

import grpc
from google.protobuf import field_mask_pb2, json_format
from google.rpc import error_details_pb2
from grpc_reflection.v1alpha import reflection_pb2
from grpc_status import rpc_status
from grpc_tools import protoc

ADDRESS, TOKEN, PROTO, STUBS = sys.argv[1:]
FILE = f"{PROTO}/lictor/admin/v1/admin.proto"
GOOGLE = os.path.join(os.path.dirname(protoc.__file__), "_proto")
WHERE = [f"-I{PROTO}", f"-I{GOOGLE}", f"--python_out={STUBS}", f"--grpc_python_out={STUBS}"]
made = protoc.main(["protoc", *WHERE, FILE])
assert made == 0, "the file compiles"
sys.path.insert(0, STUBS)

from lictor.admin.v1 import admin_pb2 as m  # noqa: E402
from lictor.admin.v1 import admin_pb2_grpc as stubs  # noqa: E402

GLOBAL = "9d8dbd2c-8cce-4e66-9c1f-c490b4a07243"
SERVICE = "/lictor.admin.v1.AdminService"
channel = grpc.insecure_channel(ADDRESS)
api = stubs.AdminServiceStub(channel)
METADATA = [("authorization", f"Bearer {TOKEN}"), ("x-request-id", "r-py")]


def call(method, request):
    return getattr(api, method)(request, metadata=METADATA, timeout=20)


def refused(code, method, request, metadata=METADATA):
    """The details of a refusal with this code."""
    try:
        getattr(api, method)(request, metadata=metadata, timeout=20)
    except grpc.RpcError as error:
        assert error.code() == code, f"{method}: {error}"
        details = rpc_status.from_call(error).details
        fields, reason, request_id = [], None, None
        for detail in details:
            bad, info = error_details_pb2.BadRequest(), error_details_pb2.ErrorInfo()
            named = error_details_pb2.RequestInfo()
            if detail.Unpack(bad):
                fields = [(one.field, one.description) for one in bad.field_violations]
            elif detail.Unpack(info):
                assert info.domain == "lictor.admin.v1"
                reason = info.reason
            elif detail.Unpack(named):
                request_id = named.request_id
        return reason, fields, request_id
    raise AssertionError(f"{method} was not refused")


def http(method, path, body=None):
    """The JSON at an address."""
    request = urllib.request.Request(f"http://{ADDRESS}/api/v1{path}", method=method)
    request.add_header("authorization", f"Bearer {TOKEN}")
    data = None
    if body is not None:
        request.add_header("content-type", "application/json")
        data = json.dumps(body).encode()
    with urllib.request.urlopen(request, data, timeout=20) as answer:
        text = answer.read()
        return json.loads(text) if text else None


def same(message, found):
    """JSON and message are the same object, read and written by Google's own library."""
    parsed = json_format.ParseDict(found, type(message)())
    assert parsed == message, f"{parsed} is not {message}"
    written = json_format.MessageToDict(
        message, preserving_proto_field_name=True, always_print_fields_with_no_presence=True
    )
    assert written == found, f"{written} is not {found}"


def who():
    told = call("WhoAmI", m.WhoAmIRequest())
    assert told.actor_kind == "service-account", told
    same(told, http("GET", "/whoami"))
    for metadata in [[], [("authorization", "Bearer eyJx.e30.x")], [("authorization", "Basic eDp5")]]:
        reason, _, _ = refused(grpc.StatusCode.UNAUTHENTICATED, "WhoAmI", m.WhoAmIRequest(), metadata)
        assert reason == "unauthenticated"
    two = METADATA + [("x-pomerium-authorization", TOKEN)]
    reason, _, _ = refused(grpc.StatusCode.INVALID_ARGUMENT, "WhoAmI", m.WhoAmIRequest(), two)
    assert reason == "two_credentials"
    own = [("x-pomerium-authorization", TOKEN)]
    assert api.WhoAmI(m.WhoAmIRequest(), metadata=own, timeout=20) == told


def namespaces():
    new = m.CreateNamespaceRequest(name="Python", idempotency_key="py-1")
    new.max_lifetime.FromSeconds(30 * 86400)
    made = call("CreateNamespace", new)
    assert made.parent_id == GLOBAL and made.path == "Global / Python", made
    again = call("CreateNamespace", new)
    assert again.id == made.id, "the same key makes the same"
    same(call("GetNamespace", m.GetNamespaceRequest(id=made.id)), http("GET", f"/namespaces/{made.id}"))

    change = m.Namespace(id=made.id, etag=made.etag, description="by grpcio", name="other")
    mask = field_mask_pb2.FieldMask(paths=["description"])
    changed = call("UpdateNamespace", m.UpdateNamespaceRequest(namespace=change, update_mask=mask))
    assert (changed.description, changed.name) == ("by grpcio", "Python"), changed
    stale = m.UpdateNamespaceRequest(namespace=change, update_mask=mask)
    assert refused(grpc.StatusCode.ABORTED, "UpdateNamespace", stale)[0] == "changed"
    cleared = field_mask_pb2.FieldMask(paths=["max_lifetime"])
    request = m.UpdateNamespaceRequest(namespace=m.Namespace(id=made.id), update_mask=cleared)
    assert not call("UpdateNamespace", request).HasField("max_lifetime")
    unknown = field_mask_pb2.FieldMask(paths=["salary", "path"])
    request = m.UpdateNamespaceRequest(namespace=change, update_mask=unknown)
    _, fields, _ = refused(grpc.StatusCode.INVALID_ARGUMENT, "UpdateNamespace", request)
    assert [field for field, _ in fields] == ["salary", "path"], fields

    taken = m.CreateNamespaceRequest(name="PYTHON")
    assert refused(grpc.StatusCode.ALREADY_EXISTS, "CreateNamespace", taken)[0] == "taken"
    nowhere = m.GetNamespaceRequest(id="nowhere")
    assert refused(grpc.StatusCode.NOT_FOUND, "GetNamespace", nowhere)[0] == "not_found"
    listed = call("ListNamespaces", m.ListNamespacesRequest(limit=200))
    assert made.id in [one.id for one in listed.namespaces]
    same(listed, http("GET", "/namespaces?limit=200"))
    return made.id


def permissions(place):
    new = m.GrantPermissionRequest(
        namespace_id=place, subject_type="user", subject_id="u-alice", role="manager"
    )
    given = call("GrantPermission", new)
    new.role = "viewer"
    lower = call("GrantPermission", new)
    listed = call("ListPermissions", m.ListPermissionsRequest(namespace_id=place))
    assert [one.role for one in listed.permissions] == ["viewer"], listed
    assert listed.permissions[0].id == lower.id
    same(listed, http("GET", f"/namespaces/{place}/permissions"))
    effective = call("ListEffectivePermissions", m.ListPermissionsRequest(namespace_id=place))
    same(effective, http("GET", f"/namespaces/{place}/effective-permissions"))
    assert effective.total > listed.total and effective.permissions[-1].inherited_from, effective
    wrong = m.GrantPermissionRequest(namespace_id=place, subject_type="robot", role="king")
    _, fields, request_id = refused(grpc.StatusCode.INVALID_ARGUMENT, "GrantPermission", wrong)
    assert sorted(field for field, _ in fields) == ["role", "subject_id", "subject_type"], fields
    assert request_id == "r-py"
    call("RemovePermission", m.RemovePermissionRequest(namespace_id=place, id=lower.id))
    gone = m.RemovePermissionRequest(id=lower.id)
    assert refused(grpc.StatusCode.NOT_FOUND, "RemovePermission", gone)[0] == "not_found"
    return given


def accounts(place):
    new = m.CreateServiceAccountRequest(namespace_id=place, name="py", originator="terraform")
    new.expires_at.FromJsonString("2100-01-01T00:00:00Z")
    made = call("CreateServiceAccount", new)
    account = made.service_account
    assert made.token.count(".") == 2 and made.credential.state == "active"
    full = f"py@{place}.pomerium"
    assert account.user_id == full and account.kind == "unique", account
    get = m.GetServiceAccountRequest(id=account.id)
    same(call("GetServiceAccount", get), http("GET", f"/service-accounts/{account.id}"))

    # As Terraform changes one: no mask, the short name, no expiry.
    change = m.ServiceAccount(id=account.id, namespace_id=place, user_id="py", description="by hand")
    changed = call("UpdateServiceAccount", m.UpdateServiceAccountRequest(service_account=change))
    assert changed.user_id == full and changed.expires_at == account.expires_at, changed
    assert changed.description == "by hand"
    change.user_id = "somebody-else"
    _, fields, _ = refused(
        grpc.StatusCode.INVALID_ARGUMENT,
        "UpdateServiceAccount",
        m.UpdateServiceAccountRequest(service_account=change),
    )
    assert [field for field, _ in fields] == ["user_id"], fields
    # What was read may be sent back.
    back = call("UpdateServiceAccount", m.UpdateServiceAccountRequest(service_account=changed))
    assert back.user_id == full and back.expires_at == account.expires_at
    # Clearing takes the mask.
    mask = field_mask_pb2.FieldMask(paths=["expires_at"])
    request = m.UpdateServiceAccountRequest(service_account=m.ServiceAccount(id=account.id), update_mask=mask)
    assert not call("UpdateServiceAccount", request).HasField("expires_at")

    rotate = m.RotateCredentialsRequest(id=account.id)
    rotate.overlap.FromSeconds(3600)
    assert call("RotateCredentials", rotate).token != made.token
    listed = call("ListCredentials", m.ListCredentialsRequest(id=account.id))
    assert sorted(one.state for one in listed.credentials) == ["active", "ending"], listed
    same(listed, http("GET", f"/service-accounts/{account.id}/credentials"))
    ending = [one.id for one in listed.credentials if one.state == "ending"][0]
    revoke = m.RevokeCredentialRequest(id=account.id, credential_id=ending)
    assert call("RevokeCredential", revoke).state == "revoked"
    listed = call("ListServiceAccounts", m.ListServiceAccountsRequest(namespace=place))
    same(listed, http("GET", f"/service-accounts?namespace={place}"))
    assert listed.total == 1
    assert call("IntrospectToken", m.IntrospectTokenRequest(token=made.token)) == m.Introspection()
    for verb, state in [("DisableServiceAccount", "disabled"), ("EnableServiceAccount", "active")]:
        request = getattr(m, f"{verb}Request")(id=account.id)
        assert call(verb, request).state == state
    return account.id


def what_is_unknown(place):
    """Fields of other versions are let pass, in both encodings."""
    raw = channel.unary_unary(f"{SERVICE}/GetNamespace", lambda bytes: bytes, m.Namespace.FromString)
    # Field 1000, a text.
    sent = m.GetNamespaceRequest(id=place).SerializeToString() + b"\xc2\x3e\x03new"
    assert raw(sent, metadata=METADATA, timeout=20).id == place
    made = http("POST", "/service-accounts", {"namespace_id": place, "name": "json", "new": {"x": [1]}})
    same(call("GetServiceAccount", m.GetServiceAccountRequest(id=made["service_account"]["id"])), made["service_account"])
    call("DeleteServiceAccount", m.DeleteServiceAccountRequest(id=made["service_account"]["id"]))
    broken = channel.unary_unary(f"{SERVICE}/GetNamespace", lambda bytes: bytes, m.Namespace.FromString)
    try:
        broken(b"\xff\xff\xff", metadata=METADATA, timeout=20)
        raise AssertionError("no message, and answered")
    except grpc.RpcError as error:
        assert error.code() in (grpc.StatusCode.INTERNAL, grpc.StatusCode.INVALID_ARGUMENT), error
    nothing = channel.unary_unary(f"{SERVICE}/Nothing", lambda bytes: bytes, lambda bytes: bytes)
    try:
        nothing(b"", metadata=METADATA, timeout=20)
        raise AssertionError("there is no such call, and it was answered")
    except grpc.RpcError as error:
        assert error.code() == grpc.StatusCode.UNIMPLEMENTED, error


def the_rest(place):
    policy = call(
        "CreatePolicy",
        m.CreatePolicyRequest(namespace_id=place, name="py", text="allow: {and: [{user: {is: py}}]}"),
    )
    same(call("GetPolicy", m.GetPolicyRequest(id=policy.id)), http("GET", f"/policies/{policy.id}"))
    off = m.Policy(id=policy.id, enforced=True)
    assert call("UpdatePolicy", m.UpdatePolicyRequest(policy=off)).enforced
    off.enforced = False
    assert not call("UpdatePolicy", m.UpdatePolicyRequest(policy=off)).enforced, "false is said, not absent"
    route = call(
        "CreateRoute",
        m.CreateRouteRequest(id="py", namespace_id=place, **{"from": "https://py.test"}, prefix="/a"),
    )
    same(call("GetRoute", m.GetRouteRequest(id="py")), http("GET", "/routes/py"))
    assert route.WhichOneof("matcher") == "prefix"
    same(call("ListRoutes", m.ListRoutesRequest()), http("GET", "/routes"))
    same(call("ListPolicies", m.ListPoliciesRequest(q="py")), http("GET", "/policies?q=py"))
    entries = call("ListActivity", m.ListActivityRequest(namespace=place, limit=5))
    same(entries, http("GET", f"/activity?namespace={place}&limit=5"))
    detail = m.GetActivityEntryRequest(id=entries.entries[0].id)
    same(call("GetActivityEntry", detail), http("GET", f"/activity/{entries.entries[0].id}"))
    same(call("GetOverview", m.GetOverviewRequest()), http("GET", "/overview"))
    same(call("SearchUsers", m.SearchUsersRequest(q="alice")), http("GET", "/users?q=alice"))
    same(call("GetUser", m.GetUserRequest(id="u-alice")), http("GET", "/users/u-alice"))
    same(call("SearchGroups", m.SearchGroupsRequest(q="g-eng")), http("GET", "/groups?q=g-eng"))
    validated = call("ValidatePolicy", m.ValidatePolicyRequest(text="allow: [x]"))
    assert validated.problems[0].line == 1 and validated.problems[0].code, validated
    blocked = m.UpdateNamespaceRequest(namespace=m.Namespace(id=GLOBAL, parent_id=place))
    _, fields, _ = refused(grpc.StatusCode.INVALID_ARGUMENT, "UpdateNamespace", blocked)
    assert [field for field, _ in fields] == ["parent_id"], fields
    held = m.DeleteNamespaceRequest(id=place)
    assert refused(grpc.StatusCode.FAILED_PRECONDITION, "DeleteNamespace", held)[0] == "in_use"


def reflection():
    """Whoever asks is told what is served here."""
    ask = channel.stream_stream(
        "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
        reflection_pb2.ServerReflectionRequest.SerializeToString,
        reflection_pb2.ServerReflectionResponse.FromString,
    )
    request = reflection_pb2.ServerReflectionRequest(list_services="")
    answer = next(iter(ask(iter([request]), timeout=20)))
    names = [one.name for one in answer.list_services_response.service]
    assert "lictor.admin.v1.AdminService" in names, names


def the_end(place, account):
    call("DeleteServiceAccount", m.DeleteServiceAccountRequest(id=account))
    call("DeleteServiceAccount", m.DeleteServiceAccountRequest(id=account))
    gone = m.GetServiceAccountRequest(id=account)
    assert refused(grpc.StatusCode.NOT_FOUND, "GetServiceAccount", gone)[0] == "not_found"
    call("DeleteNamespace", m.DeleteNamespaceRequest(id=place, force=True))
    gone = m.GetNamespaceRequest(id=place)
    assert refused(grpc.StatusCode.NOT_FOUND, "GetNamespace", gone)[0] == "not_found"


who()
place = namespaces()
permissions(place)
account = accounts(place)
what_is_unknown(place)
the_rest(place)
reflection()
the_end(place, account)
print("done")
