// Says why the door stayed closed.

if (new URLSearchParams(location.search).has("failed")) {
  document.getElementById("login-fault").textContent = "This key is not known here, or it was revoked. Try another one.";
}
