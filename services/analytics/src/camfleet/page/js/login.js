// Goes on to the place that was asked for; says why the door stayed closed.

document.querySelector("form").action += location.hash;
if (new URLSearchParams(location.search).has("failed")) {
  document.getElementById("login-fault").textContent = "This key is not known here, or it was revoked. Try another one.";
}
