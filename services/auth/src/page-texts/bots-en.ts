export const bots = {
  botSignInTitle: 'Sign in at {bot}?',
  botSignInMeans: '{bot} asks to act for you in the chat that led you here ({channel}).',
  botSignInAt: 'At {api} it may:',
  botSignInOnly:
    'Go on only if you have just asked for this yourself, in a chat of your own. If somebody has sent you this link, close the page.',
  botSignInAs: 'You are signed in as {person}.',
  botSignInAllow: 'Sign in there',
  botSignInRefuse: 'Do not sign in',
  botCodeTitle: 'Type this code into the chat',
  botCodeMeans: 'It counts for five minutes, and once.',
  botCodeKeep: 'Give it to nobody: whoever has it acts as you in their chat.',
  botDoneTitle: 'You are signed in at {bot}',
  botDoneMeans: 'Go back to the chat. You can close this page.',
  botRefusedTitle: 'You are not signed in at {bot}',
  botRefusedMeans: 'The chat goes on without it. You can close this page.',
  botOtherTitle: 'This chat is somebody else’s',
  botOtherMeans:
    'Another person of your organization uses it with {bot}. Open a chat of your own and sign in from there.',
};

export type BotTexts = typeof bots;
