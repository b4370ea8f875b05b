function loadMedia(button) {}
function mediaValue(media, url) {}
